"""The danger lists of the playbook in force, made ready once per version."""

from __future__ import annotations

from crm_core.channels.danger import DangerLists, Screening
from crm_core.channels.danger_section import DangerSection
from crm_core.playbook.service import in_force
from crm_core.work.units import ReadUnit


def screen_inbound(unit: ReadUnit, text: str, attachments: int) -> Screening:
    """Screen one inbound text with the lists in force; `attachments` counts its pictures and files."""
    playbook = in_force(unit)
    version, lists = unit.shared.get("channels.danger", (None, None))
    if version != playbook.version or lists is None:
        lists = DangerLists(playbook.section(DangerSection))
        unit.shared["channels.danger"] = (playbook.version, lists)
    assert isinstance(lists, DangerLists)
    return lists.screen(text, attachments=attachments > 0)
