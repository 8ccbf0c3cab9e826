"""How often each template was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.model import Delivery
from crm_core.channels.tables import FROM_TEMPLATE, Message, Outbox
from crm_core.work.units import ReadUnit


@dataclass(frozen=True, kw_only=True)
class Uses:
    """How many answers were made from one version, and when the last was; what was taken back is not counted."""

    version_id: int
    count: int
    last_at: datetime


@needs(Permission.TEMPLATE_READ)
def template_uses(unit: ReadUnit) -> dict[int, Uses]:
    """The uses of every version that has any, by the version's id; one statement, and no text is opened."""
    rows = unit.execute(
        select(
            Message.template_version_id.label("version_id"),
            func.count().label("uses"),
            func.max(Message.at).label("last_at"),
        )
        .join(Outbox, Outbox.message_id == Message.id)
        .where(FROM_TEMPLATE, Outbox.state != Delivery.TAKEN_BACK)
        .group_by(Message.template_version_id)
    )
    return {row.version_id: Uses(version_id=row.version_id, count=row.uses, last_at=row.last_at) for row in rows}
