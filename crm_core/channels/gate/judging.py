"""May we send this, why, and if not now, when: one function answers, with every reason in the order asked.

It is asked when a message is queued, when it is claimed for sending and once more just before it
leaves, so that an opt-out, a death or a lapsed agreement in between still stops it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_core.channels.gate.automatic import preference, timing
from crm_core.channels.gate.facts import facts_of
from crm_core.channels.gate.model import Asked, Candidate, GateCheck, Known
from crm_core.channels.gate.steps import BINDING, Step, template
from crm_core.channels.gateways.base import Gateway
from crm_core.channels.model import Reason, Verdict
from crm_core.words import Channel
from crm_core.work.units import ReadUnit


def judged(candidate: Candidate, known: Known, now: datetime, further: Sequence[Reason] = ()) -> Verdict:
    """The verdict on what is known; `further` are the higher rooms' reasons. Pure: the whole rule is this.

    The first refusal ends the asking. What only may not go now is asked to the end, and is to be
    asked again at `not_before`; what would be stale by then has expired.
    """
    reasons = list(_until_refused(BINDING, candidate, known))
    if _passed(reasons):
        return _concluded(candidate, known, now, [*reasons, *further])
    return Verdict(allowed=False, reasons=tuple(reasons))


def _concluded(candidate: Candidate, known: Known, now: datetime, reasons: list[Reason]) -> Verdict:
    """The rest of the questions, after those that bind every sender and the higher rooms'."""
    if _passed(reasons):
        reasons += _until_refused((template, preference), candidate, known)
    if not _passed(reasons):
        return Verdict(allowed=False, reasons=tuple(reasons))
    when = timing(candidate, known, now)
    return Verdict(
        allowed=when.not_before is None and not when.expired,
        reasons=(*reasons, *when.reasons),
        not_before=when.not_before,
        expired=when.expired,
    )


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The gateways at hand and the higher rooms' checks, wired once in app.py."""

    gateways: Mapping[Channel, Gateway]
    checks: Sequence[GateCheck] = ()

    def judge(self, unit: ReadUnit, candidate: Candidate) -> Verdict:
        """What `judge_all` says of one."""
        return self.judge_all(unit, (candidate,))[0]

    def judge_all(self, unit: ReadUnit, candidates: Sequence[Candidate]) -> list[Verdict]:
        """The verdicts in the candidates' order; one that may go, now or later, counts for the cap of those after it.

        A fixed number of statements, but for what a higher room asks of a few.
        """
        facts = facts_of(unit, self.gateways, candidates)
        asked = [Asked(candidate=each, known=facts.known(each)) for each in candidates]
        bound = [list(_until_refused(BINDING, each.candidate, each.known)) for each in asked]
        self._ask_higher_rooms(unit, asked, bound)
        verdicts = []
        remembered: set[int] = set()
        for each, reasons in zip(asked, bound, strict=True):
            candidate, known = each.candidate, each.known
            if known.person is not None and known.person.id in remembered:
                known = facts.known(candidate)
            verdict = _concluded(candidate, known, unit.now, reasons)
            if candidate.unasked and known.person is not None:
                at = unit.now if verdict.allowed else verdict.not_before
                facts.remember(candidate, known.person, at, goes=verdict.allowed)
                remembered.add(known.person.id)
            verdicts.append(verdict)
        return verdicts

    def _ask_higher_rooms(self, unit: ReadUnit, asked: Sequence[Asked], bound: Sequence[list[Reason]]) -> None:
        """Add their reasons to those of each candidate that nothing has stopped so far."""
        for check in self.checks:
            open_still = [at for at, reasons in enumerate(bound) if _passed(reasons)]
            if not open_still:
                return
            for at, reason in zip(open_still, check(unit, [asked[at] for at in open_still]), strict=True):
                if reason is not None:
                    bound[at].append(reason)


def _until_refused(steps: Sequence[Step], candidate: Candidate, known: Known) -> list[Reason]:
    reasons = []
    for step in steps:
        reason = step(candidate, known)
        if reason is None:
            continue
        reasons.append(reason)
        if not reason.passed:
            break
    return reasons


def _passed(reasons: Sequence[Reason]) -> bool:
    """Only the last reason can be a refusal."""
    return not reasons or reasons[-1].passed
