"""What the tasks, a room below this one, ask of the inbox: in which lanes a person may see them."""

from __future__ import annotations

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.inbox.rules import inbox_rules
from crm_core.work.units import ReadUnit


@needs(Permission.PLAYBOOK_READ)
def visible_lanes(unit: ReadUnit) -> frozenset[str]:
    """The lanes that the unit's actor may see."""
    return inbox_rules(unit).visible(unit.actor)
