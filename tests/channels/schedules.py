"""Random schedules of one patient's messages, played through the gate as the outbox plays them: without a store.

A message is judged when it is written, when it is claimed and when it is about to leave, with a
minute or two between, in which the patient may text or opt out and the hours may end.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from crm_core.channels.contact_section import ContactSection
from crm_core.channels.gate.judging import judged
from crm_core.channels.gate.model import Candidate, Carrier, Contact, Known, Person, Point, Turn
from crm_core.channels.model import Verdict
from crm_core.words import Channel, Purpose
from tests.channels.schedule_rules import Went, first_free_minute, minute_is_free, violations
from tests.hours.test_every_zone import ZONES, changes

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
_YEARS = (2011, 2026)
"""In 2011 some zones left out a day."""
_RULES = ContactSection()
_CARRIER = Carrier(name="twilio", real=True, vendor="Example Texts", until=date(2099, 12, 31))
_PERSON = Person(id=1, deceased=False, active=True)
_FIRST: Turn = (datetime.min.replace(tzinfo=UTC), 0)


class Now(Enum):
    """Where a message of a schedule is."""

    UNWRITTEN = 0
    QUEUED = 1
    SENDING = 2
    SENT = 3
    STOPPED = 4
    EXPIRED = 5


@dataclass
class Planned:
    """One message: what it is, and where it is by now. `at` is when something happens to it next, or when it went."""

    number: int
    candidate: Candidate
    at: datetime
    state: Now = Now.UNWRITTEN

    @property
    def unasked(self) -> bool:
        """Whether hours, cap and waiting bind it."""
        return self.candidate.unasked


@dataclass
class Schedule:
    """One patient's week or two. `silent_since` is the moment of an opt-out."""

    zone: ZoneInfo
    messages: list[Planned]
    texts: list[datetime]
    silent_since: datetime | None
    chance: random.Random
    exact: bool
    found: list[str] = field(default_factory=list)

    def play(self) -> list[str]:
        """Let everything happen in the order of time; returns what went wrong."""
        while True:
            moving = [each for each in self.messages if each.state in (Now.UNWRITTEN, Now.QUEUED, Now.SENDING)]
            if not moving:
                break
            self._move(min(moving, key=lambda each: (each.at, each.state.value, each.number)))
        went = [
            Went(at=each.at, unasked=each.unasked, send_by=each.candidate.send_by)
            for each in self.messages
            if each.state is Now.SENT
        ]
        return self.found + violations(went, self.zone, self.texts, self.silent_since)

    def _move(self, each: Planned) -> None:
        now = each.at
        verdict = judged(each.candidate, self._known(each, now), now)
        if self.exact:
            self._compare(each, now, verdict)
        if verdict.expired:
            each.state = Now.EXPIRED
        elif verdict.not_before is not None:
            if verdict.not_before <= now:
                self.found.append("put off to a time that is not later")
            each.state, each.at = Now.QUEUED, verdict.not_before
        elif not verdict.allowed:
            each.state = Now.STOPPED
        elif each.state is Now.SENDING:
            each.state = Now.SENT
        else:
            # Written, it is due at once; claimed, it leaves a minute or two later; a busy poller claims late.
            wait = self.chance.choice((0, 0, 1, 2, 45))
            each.state = Now.QUEUED if each.state is Now.UNWRITTEN else Now.SENDING
            each.at = now + wait * MINUTE

    def _known(self, each: Planned, now: datetime) -> Known:
        texted = [at for at in self.texts if at <= now]
        opted_out = self.silent_since is not None and self.silent_since <= now
        return Known(
            rules=_RULES,
            carrier=_CARRIER,
            zone=self.zone,
            point=Point(opted_out=opted_out),
            person=_PERSON,
            on_record=True,
            shared_by=1,
            contacts=[_contact(other, now) for other in self._others(each)],
            turn={Now.UNWRITTEN: None, Now.QUEUED: (each.at, each.number)}.get(each.state, _FIRST),
            texted_at=max(texted, default=None),
        )

    def _others(self, each: Planned) -> list[Planned]:
        counted = (Now.QUEUED, Now.SENDING, Now.SENT)
        return [other for other in self.messages if other is not each and other.unasked and other.state in counted]

    def _compare(self, each: Planned, now: datetime, verdict: Verdict) -> None:
        """Hold the verdict against the rules, minute by minute."""
        if self.silent_since is not None and self.silent_since <= now:
            expected: Any = "stopped"
        else:
            at = self._first_free(each, now) if each.unasked else now
            late = each.candidate.send_by is not None and at > each.candidate.send_by
            expected = "expired" if late else at
        said: Any = verdict.not_before or (now if verdict.allowed else "expired" if verdict.expired else "stopped")
        if said != expected:
            self.found.append(f"the gate said {said}, the rules {expected}")

    def _first_free(self, each: Planned, now: datetime) -> datetime:
        """What has gone counts, what is going counts from now on, and of what is queued what stands before it."""
        contacts = []
        for other in self._others(each):
            if other.state is not Now.QUEUED:
                contacts.append(min(other.at, now))
            elif each.state is Now.UNWRITTEN or other.at > now or self._before(other, each):
                contacts.append(other.at)
        texts = [at for at in self.texts if at <= now]
        if minute_is_free(now, self.zone, contacts, texts):
            return now
        return first_free_minute(now, self.zone, contacts, texts)

    def _before(self, other: Planned, each: Planned) -> bool:
        return each.state is Now.QUEUED and (other.at, other.number) < (each.at, each.number)


def _contact(other: Planned, now: datetime) -> Contact:
    queued = other.state is Now.QUEUED
    at = other.at if queued else min(other.at, now)
    return Contact(key=other.number, at=at, queued=queued, turn=(other.at, other.number) if queued else _FIRST)


@functools.cache
def _edges(zone: str) -> tuple[datetime, ...]:
    """The moments at which that zone changed its clocks in the years looked at."""
    return tuple(at for year in _YEARS for at in changes(zone, year))


def drawn(seed: int, *, exact: bool) -> Schedule:
    """The schedule of that number: the same one each time."""
    chance = random.Random(seed)  # noqa: S311 - a schedule that can be repeated
    zone = ZONES[seed % len(ZONES)]
    edges = _edges(zone)
    around = datetime(chance.choice(_YEARS), 1, 1, tzinfo=UTC) + chance.randrange(365 * 1440) * MINUTE
    if edges and chance.random() < 0.6:
        around = chance.choice(edges)
    start = around - chance.randrange(3 * 1440) * MINUTE
    span = chance.choice((1, 3, 9)) * 1440
    messages = [_message(chance, number, start, span) for number in range(1, chance.randint(2, 7))]
    texts = [start + chance.randrange(span) * MINUTE for _ in range(chance.randrange(3))]
    moments = [each.at for each in messages]
    # Some texts and opt-outs come just after a message was due: between its claim and its leaving.
    texts += [chance.choice(moments) + chance.randrange(3) * MINUTE] if chance.random() < 0.3 else []
    silent = None
    if chance.random() < 0.3:
        silent = chance.choice([*moments, start + chance.randrange(span) * MINUTE]) + chance.randrange(3) * MINUTE
    return Schedule(
        zone=ZoneInfo(zone), messages=messages, texts=texts, silent_since=silent, chance=chance, exact=exact
    )


def _message(chance: random.Random, number: int, start: datetime, span: int) -> Planned:
    at = start + chance.randrange(span) * MINUTE
    kind = chance.choices(("unasked", "answers", "staff"), (8, 1, 1))[0]
    send_by = at + chance.choice((0, 30, 600, 1440, 4320)) * MINUTE if chance.random() < 0.5 else None
    candidate = Candidate(
        channel=Channel.SMS,
        contact_point_id=1,
        patient_id=1,
        text="Hello",
        first_name=None,
        message_id=number,
        purpose=Purpose.REMINDER,
        automatic=kind != "staff",
        answers=kind == "answers",
        send_by=send_by if kind != "staff" else None,
    )
    return Planned(number=number, candidate=candidate, at=at)


def wrong(seeds: range, *, exact_every: int) -> list[tuple[int, list[str]]]:
    """The schedules among these that broke a rule; every so many is held against the rules minute by minute."""
    played = ((seed, drawn(seed, exact=seed % exact_every == 0).play()) for seed in seeds)
    return [(seed, found) for seed, found in played if found]
