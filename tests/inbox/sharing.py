"""The shipped playbook with lanes that give their work to people by themselves."""

from __future__ import annotations

import functools

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.playbook.loader import Playbook, load, load_content
from crm_core.playbook.service import apply
from crm_core.playbook.shipped import shipped
from crm_core.sections import SECTIONS

ROUND, LEAST, SHARE = "refills", "billing", "scheduling"
"""A lane that goes round, one that looks at who holds least, one that goes round with a fair share of 2 in 1 h."""

_POLICIES = (
    (ROUND, '{ by = "round_robin" }'),
    (LEAST, '{ by = "least_loaded" }'),
    (SHARE, '{ by = "round_robin", fair_share = { most = 2, within = "1h" } }'),
    ("clinical_triage", '{ by = "round_robin" }'),
)


@functools.cache
def sharing_out(policies: tuple[tuple[str, str], ...] = _POLICIES) -> Playbook:
    """The playbook with these lanes' policies; read once in a test process: a second."""
    content = dict(load(shipped("primary_care"), SECTIONS).content)
    lanes = content["lanes.toml"]
    for lane, policy in policies:
        lanes = lanes.replace(f"[lane.{lane}]\n", f"[lane.{lane}]\nassign = {policy}\n")
    return load_content({**content, "lanes.toml": lanes}, SECTIONS, name="primary_care")


def share_work_out(crm: Crm) -> None:
    """Let those lanes assign by themselves from now on."""
    with crm.write(SYSTEM) as unit:
        apply(unit, sharing_out())
