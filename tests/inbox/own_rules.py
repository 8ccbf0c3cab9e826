"""A clinic's own playbook for a test: the shipped one with rules and segments put before its own."""

from __future__ import annotations

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.playbook.loader import Playbook, load, load_content
from crm_core.playbook.service import apply
from crm_core.playbook.shipped import shipped
from crm_core.sections import SECTIONS


def own_playbook(*, rules: str = "", segments: str = "", changed: dict[str, tuple[str, str]] | None = None) -> Playbook:
    """The shipped playbook with `rules` tried first, `segments` added, and in each file one text for another."""
    content = dict(load(shipped("primary_care"), SECTIONS).content)
    content["routing.toml"] = rules + "\n" + content["routing.toml"]
    content["segments.toml"] += segments
    for file, (old, new) in (changed or {}).items():
        assert old in content[file]
        content[file] = content[file].replace(old, new)
    return load_content(content, SECTIONS, name="ours")


def put_in_force(crm: Crm, playbook: Playbook) -> int:
    """Its version."""
    with crm.write(SYSTEM) as unit:
        return apply(unit, playbook)


def rule(key: str, condition: str, then: str) -> str:
    """A rule of one condition, in TOML."""
    return f'[rule.{key}]\ntitle = "{key}"\nall = [{{ {condition} }}]\n{then}\n\n'
