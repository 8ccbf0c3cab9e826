"""One attempt at sending one claimed row: handing it over, asking after it, and how that ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_core.audit.tags import Outcome, Tag
from crm_core.channels.gate import Candidate
from crm_core.channels.gateways.base import (
    CannotTell,
    Found,
    Gateway,
    NotFound,
    Outgoing,
    Permanent,
    Sought,
    Temporary,
    UnknownFate,
)
from crm_core.channels.model import Delivery, Verdict
from crm_core.channels.outbox import LONGEST_FAILURE, reasons_json
from crm_core.timers.retrying import MOST_TRIES

log = logging.getLogger(__name__)


_TAGS = {
    Delivery.SENT: (Tag.MESSAGE_SENT, Outcome.DONE),
    Delivery.FAILED: (Tag.MESSAGE_FAILED, Outcome.FAILED),
    Delivery.UNKNOWN: (Tag.MESSAGE_UNKNOWN, Outcome.FAILED),
    Delivery.SUPPRESSED: (Tag.MESSAGE_SUPPRESSED, Outcome.SUPPRESSED),
    Delivery.EXPIRED: (Tag.MESSAGE_EXPIRED, Outcome.SUPPRESSED),
}


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A row in this sender's hands. `begun`: an earlier sender may already have handed it over."""

    id: int
    fence: int
    tries: int
    lease_until: datetime
    begun: bool
    conversation_id: int | None
    message_id: int
    gateway: Gateway | None
    candidate: Candidate
    outgoing: Outgoing


@dataclass(frozen=True, kw_only=True)
class Fate:
    """How an attempt ended. `again`: it is due again, after a pause if it was `tried`, or after `wait`.

    `not_before` is when it is due again by the gate.
    `why` holds the gate's reasons where it was they that ended it; `refused` is the provider's
    refusal for good, which may say something of the number.
    """

    state: Delivery
    provider_id: str | None = None
    failure: str | None = None
    again: bool = False
    tried: bool = True
    wait: timedelta | None = None
    not_before: datetime | None = None
    check: str | None = None
    why: str | None = None
    refused: Permanent | None = None

    @property
    def tag(self) -> Tag:
        """What the audit calls this end."""
        return _TAGS[self.state][0]

    @property
    def outcome(self) -> Outcome:
        """Its outcome there."""
        return _TAGS[self.state][1]


def looked_up(row: Claimed, seek: Callable[[], Sought]) -> Fate | None:
    """What the gateway says of an attempt that another sender began; None where it has not had it."""
    if row.gateway is None:
        return Fate(state=Delivery.UNKNOWN, failure="the sender stopped half-way and its gateway is gone")
    # Outside: where it is the store that does not answer, the row keeps its lease and is asked after later.
    attempt = seek()
    try:
        found = row.gateway.find(attempt)
    except Temporary as error:
        return later(row, error.reason, tried=error.tried, wait=error.wait)
    except Exception as error:  # noqa: BLE001 - a gateway's mistake must not stop the other rows
        return _broken(row, error)
    match found:
        case Found(provider_id=provider_id):
            return Fate(state=Delivery.SENT, provider_id=provider_id)
        case CannotTell():
            return Fate(state=Delivery.UNKNOWN, failure="the sender stopped half-way and the gateway cannot be asked")
        case NotFound():
            return None


def sent(row: Claimed, seek: Callable[[], Sought]) -> Fate:
    """Hand the row to its gateway, and say how that ended; `seek` says what to ask for where the answer is lost."""
    assert row.gateway is not None
    try:
        accepted = row.gateway.send(row.outgoing)
    except Temporary as error:
        if row.tries >= MOST_TRIES and error.tried:
            return Fate(state=Delivery.FAILED, failure=f"given up after {row.tries} tries: {error.reason}")
        return Fate(state=Delivery.QUEUED, failure=error.reason, again=True, tried=error.tried, wait=error.wait)
    except Permanent as error:
        return Fate(state=Delivery.FAILED, failure=error.reason, refused=error)
    except UnknownFate as error:
        return _asked_after(row, seek, error.reason)
    except Exception as error:  # noqa: BLE001 - it may have left: unknown, and the other rows go on
        return _broken(row, error)
    return Fate(state=Delivery.SENT, provider_id=accepted.provider_id)


def _asked_after(row: Claimed, seek: Callable[[], Sought], reason: str) -> Fate:
    """What became of an attempt whose answer was lost: the gateway is asked, and nothing is sent blindly.

    One that has not had it yet is asked again after a pause, as a provider may be slow to show it.
    """
    assert row.gateway is not None
    attempt = seek()
    try:
        found = row.gateway.find(attempt)
    except Temporary:
        found = NotFound()
    except Exception as error:  # noqa: BLE001 - as in `sent`
        return _broken(row, error)
    if isinstance(found, Found):
        return Fate(state=Delivery.SENT, provider_id=found.provider_id)
    if isinstance(found, CannotTell) or row.tries >= MOST_TRIES:
        return Fate(state=Delivery.UNKNOWN, failure=reason)
    return Fate(state=Delivery.SENDING, failure=reason, again=True)


def _broken(row: Claimed, error: Exception) -> Fate:
    """A gateway's own mistake; its words may hold a patient, so only its kind is told."""
    log.error("gateway broke on outbox row %d: %s", row.id, type(error).__name__)
    return Fate(state=Delivery.UNKNOWN, failure=f"the gateway broke: {type(error).__name__}")


def later(row: Claimed, failure: str, *, tried: bool = True, wait: timedelta | None = None) -> Fate:
    """Due again; what was begun stays so, and is asked after before it is sent."""
    if row.begun and tried and row.tries >= MOST_TRIES:
        return Fate(state=Delivery.UNKNOWN, failure=f"asked after {row.tries} times: {failure}")
    state = Delivery.SENDING if row.begun else Delivery.QUEUED
    return Fate(state=state, failure=failure, again=True, tried=tried, wait=wait)


def refused(verdict: Verdict, now: datetime) -> Fate:
    """What becomes of a row that the gate does not let go: queued for when it may, too late by then, or stopped."""
    refusal = verdict.refusal
    assert refusal is not None
    why = reasons_json(verdict.reasons)
    again_at = verdict.again_at(now)
    if again_at is not None:
        return Fate(state=Delivery.QUEUED, again=True, tried=False, not_before=again_at, why=why)
    state = Delivery.EXPIRED if verdict.expired else Delivery.SUPPRESSED
    return Fate(state=state, failure=refusal.saw[:LONGEST_FAILURE], check=refusal.check, why=why)
