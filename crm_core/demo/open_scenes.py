"""What lies on the desks at this moment: every lane in every state, some of it late."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from crm_core.demo import events as did
from crm_core.demo.casting import Cast, Line
from crm_core.demo.people import Person
from crm_core.demo.scenes import Scene
from crm_core.demo.sources import Talk
from crm_core.demo.workdays import Workdays
from crm_core.words import Channel

_FRESH = {"scheduling": 6, "refill": 5, "clinical_advice": 3, "other": 3, "billing": 3, "complaint": 2}
"""How many untouched messages lie in each pile; 2 where nothing is said."""
_MOST_AGO = 700
"""Working minutes: what staff did is at most a day and a half old, so that nothing has come back yet."""


class Desk:
    """Makes the open conversations; `start(talk, ago)` opens a scene so many working minutes ago."""

    def __init__(self, now: datetime, cast: Cast, days: Workdays, visitor: str) -> None:
        self.now = now
        self.cast = cast
        self.days = days
        self.visitor = visitor

    def all(self, talks: Sequence[Talk]) -> Iterator[list[did.Event]]:
        """Every open conversation, a list of events each."""
        for talk in talks:
            yield from self._untouched(talk)
            yield from self._in_hand(talk)
            yield from self._waiting(talk)
        by_category = {talk.category: talk for talk in talks}
        yield from self._with_the_physician([by_category["clinical_advice"], by_category["refill"]])
        yield from self._reopened([by_category["scheduling"], by_category["refill"], by_category["billing"]])

    def start(self, talk: Talk, low: float, high: float, *, by_voice: bool = False, written: bool = False) -> Scene:
        """A scene whose first text came between `low` and `high` working minutes ago."""
        at = self.ago(low, high)
        line = self.cast.line(talk, at, self.now, by_voice=by_voice, written=written)
        return Scene(self.cast, self.days, talk, line, at)

    def ago(self, low: float, high: float) -> datetime:
        """A moment so many working minutes ago."""
        return self.days.earlier(self.now, self.cast.rng.uniform(low, high)).replace(microsecond=0)

    def _untouched(self, talk: Talk) -> Iterator[list[did.Event]]:
        for number in range(_FRESH.get(talk.category, 2)):
            oldest = 520 if number == 0 else 210
            yield self.start(talk, 3, oldest, by_voice=True).say().events

    def _in_hand(self, talk: Talk) -> Iterator[list[did.Event]]:
        """One that somebody took, one where the patient has answered since, in some lanes one of the visitor's."""
        yield self.start(talk, 60, 240).say().wait(5, 40).claim().events
        scene = self.start(talk, 200, _MOST_AGO, written=True)
        scene.say().wait(10, 60).reply().wait(10, 90).answer()
        yield scene.events
        if talk.category in ("refill", "scheduling", "clinical_advice"):
            yield self.start(talk, 40, 120).say().wait(4, 25).claim(self.visitor).events

    def _waiting(self, talk: Talk) -> Iterator[list[did.Event]]:
        """On the patient, on a call that found nobody, on a day to come."""
        for _ in range(2 if talk.share > 7 else 1):  # noqa: PLR2004 - the busier lanes
            scene = self.start(talk, 120, _MOST_AGO, written=True)
            yield scene.say().wait(8, 100).reply().events
        yield self.start(talk, 120, 500).say().wait(10, 90).miss().events
        scene = self.start(talk, 90, 600).say().wait(5, 50).note().wait(1, 3)
        yield scene.snooze(self._to_come(scene.rng.uniform(60, 900))).events

    def _to_come(self, minutes: float) -> datetime:
        """A full or half hour of working time to come."""
        at = self.days.later(self.now, minutes).replace(second=0, microsecond=0)
        return at + timedelta(minutes=-at.minute % 30)

    def _with_the_physician(self, talks: Sequence[Talk]) -> Iterator[list[did.Event]]:
        """Nurses' questions in the physician's lane, in every state it can have there."""
        keep: list[Callable[[Scene], Scene]] = [
            lambda scene: scene,
            lambda scene: scene,
            lambda scene: scene.wait(3, 20).claim(),
            lambda scene: scene.wait(5, 30).reply("clinical_please_call"),
            lambda scene: scene.wait(5, 30).miss(),
            lambda scene: scene.wait(5, 30).snooze(self._to_come(200)),
        ]
        for number, go_on in enumerate(keep):
            scene = self.start(talks[number % len(talks)], 100, 420)
            yield go_on(scene.say().wait(5, 40).note().wait(1, 4).escalate()).events

    def _reopened(self, talks: Sequence[Talk]) -> Iterator[list[did.Event]]:
        """Closed in good faith, and the patient writes again within the week."""
        for talk, text in zip(talks, self.cast.special.again, strict=True):
            scene = self.start(talk, 500, 1200)
            scene.say().wait(5, 60).call().wait(1, 5).close("resolved")
            scene.at = max(self.ago(5, 160), scene.at + timedelta(minutes=10))
            yield scene.say(text).events


def strangers(desk: Desk, talk: Talk, area_code: str, shared: Sequence[Person]) -> Iterator[list[did.Event]]:
    """Texts from numbers nobody knows, from numbers that two share, and in languages nothing here screens."""
    cast, now = desk.cast, desk.now
    for index, text in enumerate(cast.special.unknown):
        thread, at = desk.cast.thread(), desk.ago(10, 300)
        sender = f"+1{area_code}55501{10 + index}"
        yield [_text(thread, at, sender, cast.filled(text, None))]
    for person, text in zip(shared, cast.special.shared, strict=False):
        thread, at = desk.cast.thread(), desk.ago(20, 260)
        assert person.phone is not None
        yield [_text(thread, at, person.phone, cast.filled(text, person))]
    for foreign in cast.special.unscreened:
        at = desk.ago(10, 90)
        person = cast.someone(at, now, foreign.language)
        cast.keep_busy(person, at, now)
        yield [_text(desk.cast.thread(), at, person.phone or "", foreign.text)]
    if shared[len(cast.special.shared) :]:
        yield list(_linked(desk, talk, shared[len(cast.special.shared)]))


def dangers(desk: Desk, nurse_talk: Talk) -> Iterator[list[did.Event]]:
    """One that rings as the visitor arrives, and one that a nurse has in hand."""
    cast = desk.cast
    texts = cast.special.danger
    at = desk.now - timedelta(minutes=6)
    person = cast.someone(at, desk.now)
    cast.keep_busy(person, at, desk.now)
    yield [_text(desk.cast.thread(), at, person.phone or "", texts[0])]
    at = desk.ago(45, 90)
    person = cast.someone(at, desk.now)
    cast.keep_busy(person, at, desk.now)
    line = Line(person=person, channel=Channel.SMS, sender=person.phone or "", text=texts[1], subject=None)
    yield handled_danger(Scene(cast, desk.days, nurse_talk, line, at)).events


def handled_danger(scene: Scene) -> Scene:
    """A nurse acknowledges within minutes and reaches the patient."""
    scene.by = scene.cast.nurse()
    scene.say()
    scene.at += timedelta(minutes=scene.rng.randint(2, 9))
    scene.events.append(did.Acknowledged(at=scene.at, thread=scene.thread, by=scene.by))
    scene.at += timedelta(minutes=scene.rng.randint(1, 5))
    words = scene.rng.choice(scene.cast.special.danger_calls)
    scene.events.append(did.Called(at=scene.at, thread=scene.thread, by=scene.by, outcome="reached", words=words))
    scene.at += timedelta(minutes=2)
    return scene.note(scene.rng.choice(scene.cast.special.danger_notes))


def _linked(desk: Desk, talk: Talk, person: Person) -> Iterator[did.Event]:
    """A shared number: staff found out by phone who wrote, and answered by name."""
    thread, at = desk.cast.thread(), desk.ago(150, 400)
    assert person.phone is not None
    by = desk.cast.worker(talk.lane)
    text = desk.cast.filled(talk.texts[0], person)
    yield _text(thread, at, person.phone, text)
    at = desk.days.later(at, 20)
    yield did.Linked(at=at, thread=thread, by=by, mrn=person.mrn)
    at, key = at + timedelta(minutes=2), talk.template_for(text)
    yield did.Replied(at=at, thread=thread, by=by, template=key, language="en")


def _text(thread: str, at: datetime, sender: str, text: str) -> did.Arrival:
    return did.Arrival(at=at, thread=thread, id=f"demo-{thread}-1", channel=Channel.SMS, sender=sender, text=text)
