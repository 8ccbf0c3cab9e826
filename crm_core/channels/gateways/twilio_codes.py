"""What Twilio's error codes say: of the number, of our account, or of this message alone.

The codes and their meaning are Twilio's dictionary of errors (twilio.com/docs/api/errors). Twilio
adds to it and warns against building on it, so a code that is not here is of this message alone:
it has failed, its number is told, and nothing is concluded from it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a code says. `account`: our account or settings are at fault, and the message may go once they are mended.

    `bad_number`: no text ever reaches the number; `opted_out`: its user texted STOP to Twilio.
    """

    reason: str
    account: bool = False
    bad_number: bool = False
    opted_out: bool = False


OPTED_OUT = 21610
_ACCOUNT = {
    20003: "the login is refused",
    20005: "the account is not active",
    20404: "the account is not found",
    21212: "from is not valid",
    21603: "from is missing",
    21606: "from cannot send texts",
    21608: "a trial account may not send there",
    21611: "the sender's queue is full",
    21659: "from is no number of Twilio's",
    21660: "from is another account's number",
    21661: "from cannot send texts",
    21701: "the messaging service is not found",
    21703: "the messaging service has no numbers",
    30001: "the sender's queue is full",
    30002: "the account is suspended",
    63007: "from is no WhatsApp sender",
}
_BAD_NUMBER = {
    21211: "not a valid number",
    21217: "not a valid number",
    21265: "a short code",
    21268: "a premium number",
    21614: "not a mobile number",
    21635: "a landline",
    30005: "unknown or no longer in service",
    30006: "a landline, or a carrier that cannot be reached",
}
_THIS_MESSAGE = {
    21266: "to and from are the same",
    21408: "texts to that country are not enabled",
    21612: "cannot be reached from our number",
    21617: "too long",
    30003: "the device is off or cannot be reached",
    30004: "blocked",
    30007: "filtered by the carrier",
    30008: "for a reason that the carrier does not tell",
    30010: "dearer than the limit",
    30019: "too large",
    30023: "over the day's limit of the carrier",
    30024: "our number is not set up at the carrier",
    30032: "our toll-free number is not verified",
    30034: "our number is not registered",
    30036: "its validity ran out",
    63003: "no WhatsApp there",
    63016: "outside WhatsApp's 24 hours: only a template may go",
    63018: "over WhatsApp's rate",
    63024: "not a valid recipient on WhatsApp",
    63032: "WhatsApp does not let it through to this user",
    63049: "WhatsApp chose not to deliver it",
}


def meaning(code: int | None) -> Meaning:
    """What that code says."""
    if code in _ACCOUNT:
        return Meaning(reason=_ACCOUNT[code], account=True)
    if code in _BAD_NUMBER:
        return Meaning(reason=_BAD_NUMBER[code], bad_number=True)
    if code == OPTED_OUT:
        return Meaning(reason="its user texted STOP", opted_out=True)
    return Meaning(reason=_THIS_MESSAGE.get(code or 0, "a reason of Twilio's"))
