"""What Twilio says became of a text, as a report: by its status and error code, asked for or called back."""

from __future__ import annotations

from datetime import datetime

from crm_core.channels.gateways.twilio_codes import meaning
from crm_core.channels.model import Report
from crm_core.channels.reports import Reported

SOURCE = "twilio"
"""The gateway's name, by which a report finds its row."""
_DELIVERED = frozenset({"delivered", "read"})
_FAILED = {
    "failed": "not sent",
    "undelivered": "not delivered",
    "canceled": "cancelled at the provider",
    "partially_delivered": "delivered in part",
}


def reported(*, sid: str, status: str, code: int | None, whatsapp: bool, at: datetime) -> Reported | None:
    """The report of a text of that id; None while its status may still change.

    A number that WhatsApp does not reach may well take texts and calls, so nothing is said of it.
    """
    if status in _DELIVERED:
        return Reported(source=SOURCE, provider_id=sid, fate=Report.DELIVERED, at=at)
    if status not in _FAILED:
        return None
    said = meaning(code)
    return Reported(
        source=SOURCE,
        provider_id=sid,
        fate=Report.FAILED,
        at=at,
        code=str(code) if code else None,
        reason=said.reason if code else _FAILED[status],
        permanent=said.bad_number and not whatsapp,
        opted_out=said.opted_out,
    )
