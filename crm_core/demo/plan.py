"""The whole demo: who there is, and three months of what happened, up to this minute."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from crm_core.access.model import Role
from crm_core.demo import events as did
from crm_core.demo.casting import Cast, Line
from crm_core.demo.open_scenes import Desk, dangers, handled_danger, strangers
from crm_core.demo.people import Person, bundle, make_people
from crm_core.demo.scenes import Scene, finished
from crm_core.demo.sources import DemoStaff, Talk, people_source, special_source, staff, talks
from crm_core.demo.workdays import Workdays
from crm_core.words import Channel

SEED = 2111
PEOPLE = 430
CLOSED, JUST_CLOSED = 310, 30
OLDEST_DAYS, YOUNGEST_DAYS = 88, 6
"""How many days ago what has ended began; six leave it the two working days it may take."""
_SATURDAY = 5
_GROWN = 25
BEGINS_DAYS = 95
_TRIES = 50


@dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """People and events; `events` are in order of time, those of one thread in their own order.

    The same `now`, zone and seed make the same plan. Nothing lies after `now`.
    """

    now: datetime
    staff: tuple[DemoStaff, ...]
    people: tuple[Person, ...]
    events: tuple[did.Event, ...]

    @property
    def begins(self) -> datetime:
        """When the patients are imported and the templates approved: before the first message."""
        return self.now - timedelta(days=BEGINS_DAYS)

    @property
    def arrivals(self) -> tuple[did.Arrival, ...]:
        """The inbound messages alone."""
        return tuple(event for event in self.events if isinstance(event, did.Arrival))

    @property
    def visitor(self) -> DemoStaff:
        """Whom the person who tries the demo signs in as."""
        return next(person for person in self.staff if person.visitor)

    def write_people(self, folder: Path) -> Path:
        """Write the patients as one FHIR bundle for `crm import fhir`; returns the file."""
        file = folder / "patients.json"
        file.write_text(json.dumps(bundle(self.people), ensure_ascii=False), encoding="utf-8")
        return file


def make_plan(now: datetime, zone: str = "America/New_York", seed: int = SEED) -> DemoPlan:
    """The plan as of `now`, an aware time, for a clinic in `zone`."""
    now = now.astimezone(UTC).replace(second=0, microsecond=0)
    everyone = staff()
    people = make_people(PEOPLE, now.astimezone(ZoneInfo(zone)).date(), seed)
    rng = random.Random(f"{seed}:talk")  # noqa: S311 - a made-up past, no secret
    cast = Cast(rng, people, everyone, special_source())
    days = Workdays(zone=ZoneInfo(zone))
    visitor = next(person.login for person in everyone if person.visitor)
    desk = Desk(now, cast, days, visitor)
    by_category = {talk.category: talk for talk in talks()}
    told: list[list[did.Event]] = list(_opted_out(desk))
    told += dangers(desk, by_category["clinical_advice"])
    told += strangers(desk, by_category["scheduling"], people_source().unknown_area_code, _sharers(people))
    told += desk.all(talks())
    told += _past(desk)
    in_order = sorted(itertools.chain.from_iterable(told), key=lambda event: event.at)
    return DemoPlan(now=now, staff=everyone, people=people, events=tuple(in_order))


def _sharers(people: tuple[Person, ...]) -> list[Person]:
    """One grown-up for each phone that several people have."""
    by_phone = {one.phone: one for one in people if one.shared and one.age >= _GROWN and one.language == "en"}
    return [one for one in by_phone.values() if one.deceased_on is None]


def _past(desk: Desk) -> Iterator[list[did.Event]]:
    """What has ended: by each category's share, dangers and texts that were not for us among it."""
    all_shares = sum(talk.share for talk in talks())
    for talk in talks():
        for _ in range(round(CLOSED * talk.share / all_shares)):
            yield _ended(desk, talk)
        for _ in range(round(JUST_CLOSED * talk.share / all_shares)):
            yield _just_ended(desk, talk)
    nurse_talk = next(talk for talk in talks() if talk.category == "clinical_advice")
    special = desk.cast.special
    for text, language in [(text, "en") for text in special.danger[2:]] + [(text, "es") for text in special.danger_es]:
        at = _some_time(desk)
        person = desk.cast.someone(at, at, language)
        desk.cast.keep_busy(person, at, at + timedelta(days=1))
        line = Line(person=person, channel=Channel.SMS, sender=person.phone or "", text=text, subject=None)
        scene = handled_danger(Scene(desk.cast, desk.days, nurse_talk, line, at))
        yield scene.wait(5, 40).close("resolved").events
    area = people_source().unknown_area_code
    for index, text in enumerate(special.not_for_us):
        yield _not_for_us(desk, f"+1{area}55501{40 + index}", text)


def _ended(desk: Desk, talk: Talk) -> list[did.Event]:
    """One conversation that began and ended before now, by whoever was free then."""
    for _ in range(_TRIES):
        at = _some_time(desk)
        with suppress(LookupError):
            line = desk.cast.line(talk, at, at + timedelta(days=5))
            return finished(Scene(desk.cast, desk.days, talk, line, at)).events
    raise LookupError(f"nobody is left to write about {talk.category}")


def _just_ended(desk: Desk, talk: Talk) -> list[did.Event]:
    """One of the last days, settled by a call."""
    scene = desk.start(talk, 120, 1900)
    return scene.say().wait(4, 70).call().wait(1, 6).close("resolved").events


def _not_for_us(desk: Desk, sender: str, text: str) -> list[did.Event]:
    at, thread = _some_time(desk), desk.cast.thread()
    by = desk.cast.only(Role.SUPERVISOR)
    closed_at = desk.days.later(at, desk.cast.rng.uniform(3, 60)).replace(microsecond=0)
    return [
        did.Arrival(at=at, thread=thread, id=f"demo-{thread}-1", channel=Channel.SMS, sender=sender, text=text),
        did.Closed(at=closed_at, thread=thread, by=by, outcome="not_for_us"),
    ]


def _opted_out(desk: Desk) -> Iterator[list[did.Event]]:
    """Numbers that want no texts: one word, no conversation, and no other text of theirs in the plan."""
    for text in (*desk.cast.special.stop, *desk.cast.special.help):
        at = _some_time(desk)
        person = desk.cast.someone(at, at)
        desk.cast.retire(person)
        thread = desk.cast.thread()
        yield [
            did.Arrival(
                at=at, thread=thread, id=f"demo-{thread}-1", channel=Channel.SMS, sender=person.phone or "", text=text
            )
        ]


def _some_time(desk: Desk) -> datetime:
    """A moment of the past three months: mostly on a working day by daylight, now and then at night or on Sunday."""
    rng, zone = desk.cast.rng, desk.days.zone
    day = desk.now.astimezone(zone).date() - timedelta(days=rng.randint(YOUNGEST_DAYS, OLDEST_DAYS))
    if rng.random() < 0.14:  # noqa: PLR2004 - out of hours
        hour = rng.choice((6, 7, 18, 19, 20, 21, 22))
    else:
        day -= timedelta(days=max(0, day.weekday() - _SATURDAY + 1))
        hour = rng.choices(range(8, 17), (6, 12, 14, 12, 9, 8, 10, 9, 7))[0]
    moment = datetime.combine(day, time(hour, rng.randint(0, 59), rng.randint(0, 59)), zone)
    return moment.astimezone(UTC)
