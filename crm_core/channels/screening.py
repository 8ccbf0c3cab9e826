"""The danger lists of the playbook in force, made ready once per version."""

from __future__ import annotations

from dataclasses import replace

from crm_core.channels.danger import DangerLists, Screening, Verdict
from crm_core.channels.danger_section import DangerSection
from crm_core.playbook.service import in_force
from crm_core.work.units import ReadUnit


def screen_inbound(unit: ReadUnit, subject: str | None, text: str, attachments: int) -> Screening:
    """Screen one inbound message with the lists in force: a danger may stand in its subject or its text.

    `attachments` counts its pictures and files. Pictures without a text stay unscreened
    whatever the subject says.
    """
    spoken = f"{subject}\n{text}" if subject else text
    screening = _lists(unit).screen(spoken, attachments=attachments > 0)
    if attachments and not text.strip() and screening.verdict is Verdict.CLEAR:
        return replace(screening, verdict=Verdict.UNSCREENED)
    return screening


def _lists(unit: ReadUnit) -> DangerLists:
    playbook = in_force(unit)
    version, lists = unit.shared.get("channels.danger", (None, None))
    if version != playbook.version or lists is None:
        lists = DangerLists(playbook.section(DangerSection))
        unit.shared["channels.danger"] = (playbook.version, lists)
    assert isinstance(lists, DangerLists)
    return lists
