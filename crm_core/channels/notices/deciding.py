"""What is to become of a notice, by what the gate said of each way that it could go. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_core.channels.gate import Candidate
from crm_core.channels.model import Reason, Verdict
from crm_core.channels.notices.due import Due
from crm_core.channels.notices.model import NoticeState
from crm_core.channels.notices.people import Way
from crm_core.dedup import notice_message_key

NO_WAY = "no number or address on the record"
STALE = "send by"
"""The gate's step that asks whether it is still true."""

_UNREACHABLE = frozenset({"number", "recipient"})
"""The gate's steps whose refusal says that this number does not work at all."""


@dataclass(frozen=True, kw_only=True)
class Tryout:
    """One way that a notice could go: written for it, or refused by the library before the gate was asked.

    `title` is the template's.
    """

    way: Way
    candidate: Candidate | None = None
    title: str = ""
    refusal: str | None = None


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What is to become of a notice. `goes` is the way it takes, with the gate's `verdict` on it.

    `again` is when it is looked at once more. `find_number` says that the patient cannot be
    reached by any way that we know.
    """

    notice: Due
    state: NoticeState
    reasons: tuple[Reason, ...]
    because: str | None = None
    goes: Tryout | None = None
    verdict: Verdict | None = None
    again: datetime | None = None
    find_number: bool = False

    @property
    def key(self) -> str:
        """The occasion of what it becomes: the notice, in the turn of this timer."""
        assert self.notice.timer_id is not None
        return notice_message_key(self.notice.id, self.notice.timer_id)


Said = tuple[Tryout, Verdict | None]
"""A way, and what the gate said of it; None where the library refused before."""


def decide(notice: Due, said: Sequence[Said], now: datetime) -> Decided:
    """Take the first way that may go, now or later; the reasons of those before it are kept, too.

    A way that has to wait is not passed over for a lesser one: a text at night waits for the
    morning rather than become a call, and one to a number that staff are to decide about for them.
    """
    reasons: list[Reason] = []
    for tryout, verdict in said:
        reasons += _reasons(tryout, verdict)
        if verdict is None:
            continue
        if verdict.allowed:
            state = NoticeState.CALLING if tryout.way.is_call else NoticeState.HANDED_OVER
            return Decided(notice=notice, state=state, reasons=tuple(reasons), goes=tryout, verdict=verdict)
        again_at = verdict.again_at(now)
        if again_at is not None:
            return _waits(notice, again_at, tuple(reasons))
        if _is_stale(verdict):
            return expired(notice, _first_no(reasons), tuple(reasons))
    if not said:
        reasons.append(Reason(check="recipient", passed=False, saw=NO_WAY))
    return refused(notice, _first_no(reasons), tuple(reasons), find_number=_cannot_be_reached(said))


def expired(notice: Due, because: str, reasons: tuple[Reason, ...] = ()) -> Decided:
    """It did not go while it was true."""
    reasons = reasons or (Reason(check=STALE, passed=False, saw=because),)
    return Decided(notice=notice, state=NoticeState.EXPIRED, reasons=reasons, because=because)


def refused(notice: Due, because: str, reasons: tuple[Reason, ...], *, find_number: bool) -> Decided:
    """It may not go by any way."""
    return Decided(notice=notice, state=NoticeState.REFUSED, reasons=reasons, because=because, find_number=find_number)


def _waits(notice: Due, until: datetime, reasons: tuple[Reason, ...]) -> Decided:
    because = next(reason.saw for reason in reversed(reasons) if not reason.passed)
    if notice.send_by is not None and until >= notice.send_by:
        return expired(notice, f"it could not go before it was stale: {because}", reasons)
    return Decided(notice=notice, state=NoticeState.PLANNED, reasons=reasons, because=because, again=until)


def _first_no(reasons: Sequence[Reason]) -> str:
    return next((reason.saw for reason in reasons if not reason.passed), NO_WAY)


def _is_stale(verdict: Verdict) -> bool:
    return any(reason.check == STALE and not reason.passed for reason in verdict.reasons)


def _reasons(tryout: Tryout, verdict: Verdict | None) -> list[Reason]:
    """The way's reasons under its name, so that those of several ways can be told apart."""
    way = tryout.way.channel.value
    if verdict is None:
        return [Reason(check=f"{way} template", passed=False, saw=tryout.refusal or "")]
    return [Reason(check=f"{way} {reason.check}", passed=reason.passed, saw=reason.saw) for reason in verdict.reasons]


def _cannot_be_reached(said: Sequence[Said]) -> bool:
    """Whether there is no number at all, or none that works; what a patient refused is not looked for."""
    refusals = [verdict.refusal for _, verdict in said if verdict is not None]
    if any(verdict is None for _, verdict in said):
        return False
    return all(refusal is not None and refusal.check in _UNREACHABLE for refusal in refusals)
