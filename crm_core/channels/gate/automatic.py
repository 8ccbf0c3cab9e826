"""The gate's questions to what no person writes: the patient's channels, hours, cap, waiting, and staleness. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm_core.channels.gate.model import Candidate, Contact, Known
from crm_core.channels.gate.steps import no, yes
from crm_core.channels.gate.times import counted, earliest, in_hours, under_cap
from crm_core.channels.model import Reason

_LEFT_OUT = "hours, cap, wait"


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """When it may go: now, not before a later time, or never since it will be stale by then."""

    reasons: tuple[Reason, ...]
    not_before: datetime | None = None
    expired: bool = False


def preference(candidate: Candidate, known: Known) -> Reason | None:
    """Whether the patient chose this channel, where they chose any. A refusal is for good."""
    if not candidate.unasked or not known.preferred:
        return None
    wanted = ", ".join(known.preferred)
    if candidate.channel not in known.preferred:
        return no("preference", f"the patient wants {wanted}")
    return yes("preference", f"the patient's order is {wanted}")


def timing(candidate: Candidate, known: Known, now: datetime) -> Timing:
    """Whether it may go at `now`, and if not, when."""
    reasons, at = [], now
    if candidate.unasked:
        reasons += list(_now(known, now))
        if not all(reason.passed for reason in reasons):
            at = _earliest(known, now)
    else:
        why = "it answers the patient's own text" if candidate.answers else "a person writes"
        reasons.append(yes(_LEFT_OUT, f"skipped: {why}"))
    if candidate.send_by is not None:
        until = _shown(candidate.send_by, known.zone)
        if at > candidate.send_by:
            reasons.append(no("send by", f"it was to go by {until}"))
            return Timing(reasons=tuple(reasons), expired=True)
        reasons.append(yes("send by", f"it may go until {until}"))
    if at == now:
        return Timing(reasons=tuple(reasons))
    reasons.append(no("when", f"not before {_shown(at, known.zone)}"))
    return Timing(reasons=tuple(reasons), not_before=at)


def _now(known: Known, now: datetime) -> Iterator[Reason]:
    hours, cap = known.rules.hours, known.rules.cap
    window = f"{hours.opens:%H:%M} to {hours.closes:%H:%M}"
    local = f"{now.astimezone(known.zone):%H:%M} in {known.zone.key}"
    within = in_hours(now, known.zone, hours)
    yield yes("hours", f"{local}, {window}") if within else no("hours", f"{local}, automation writes {window}")
    contacts = ahead(known, now)
    day, week = counted(now, known.zone, contacts)
    full = under_cap(now, known.zone, cap, contacts) > now
    saw = f"{day} of {cap.a_day} that day, {week} of {cap.in_seven_days} in seven days"
    yield no("cap", saw) if full else yes("cap", saw)
    quiet = _quiet_until(known)
    if quiet is not None and quiet > now:
        yield no("wait", f"the patient wrote within the last {known.rules.wait.minutes_after_a_text} minutes")
    else:
        yield yes("wait", "the patient is not writing with us now")


def ahead(known: Known, now: datetime) -> list[Contact]:
    """The contacts that count before a candidate: all that went, and of what is queued what has its turn first.

    A text that is only about to be written comes after all that are queued.
    """
    mine = known.turn
    return [
        contact
        for contact in known.contacts
        if not contact.queued or mine is None or contact.at > now or contact.turn < mine
    ]


def _earliest(known: Known, now: datetime) -> datetime:
    return earliest(
        now,
        zone=known.zone,
        hours=known.rules.hours,
        cap=known.rules.cap,
        contacts=ahead(known, now),
        quiet_until=_quiet_until(known) or now,
    )


def _quiet_until(known: Known) -> datetime | None:
    wait = timedelta(minutes=known.rules.wait.minutes_after_a_text)
    return known.texted_at + wait if known.texted_at is not None else None


def _shown(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} in {zone.key}"
