"""One conversation at a time: what its people say and do, moment by moment."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from crm_core.access.model import Role
from crm_core.demo import events as did
from crm_core.demo.casting import PHYSICIAN_LANE, Cast, Line
from crm_core.demo.sources import Talk
from crm_core.demo.workdays import Workdays
from crm_core.words import Channel

SPANISH = frozenset(
    {
        "billing_received",
        "clinical_nurse_will_call",
        "other_interpreter",
        "other_received",
        "referral_in_progress",
        "refill_done",
        "refill_received",
        "result_nurse_will_call",
        "scheduling_ask_times",
    }
)
"""The templates with a Spanish variant: an answer to someone who writes Spanish is one of these, or a call."""
PERSONAL = frozenset({"complaint_sorry", "scheduling_offer_times"})
"""The templates the demo uses that need a personal sentence."""

WAYS = {"written": 45, "called": 20, "missed": 11, "snoozed": 7, "silent": 6, "moved": 7, "escalated": 4}
"""How conversations usually go, in shares of 100."""


class Scene:
    """A conversation being written down; `at` is the moment it has come to."""

    def __init__(self, cast: Cast, days: Workdays, talk: Talk, line: Line, at: datetime) -> None:
        self.thread = cast.thread()
        self.cast = cast
        self.rng: random.Random = cast.rng
        self.days = days
        self.talk = talk
        self.line = line
        self.at = at
        self.lane = talk.lane
        self.by = cast.worker(talk.lane)
        self.events: list[did.Event] = []
        self._said = 0

    @property
    def spanish(self) -> bool:
        """Whether the patient writes Spanish."""
        return self.line.person.language == "es"

    def wait(self, low: float, high: float) -> Scene:
        """Let some working minutes pass."""
        self.at = self.days.later(self.at, self.rng.uniform(low, high)).replace(microsecond=0)
        return self

    def say(self, text: str | None = None) -> Scene:
        """The patient writes: the opening text, or what follows it."""
        opening = self._said == 0
        self._said += 1
        self.events.append(
            did.Arrival(
                at=self.at,
                thread=self.thread,
                id=f"demo-{self.thread}-{self._said}",
                channel=self.line.channel,
                sender=self.line.sender,
                text=self.line.text if text is None else self.cast.filled(text, self.line.person),
                subject=self.line.subject if opening else None,
                expect=self.talk.category if opening else None,
            )
        )
        return self

    def answer(self) -> Scene:
        """The patient answers what staff wrote."""
        return self.say(self.rng.choice(self.talk.answers_es if self.spanish else self.talk.answers))

    def reply(self, keys: Sequence[str] | None = None) -> Scene:
        """Staff answer from one of `keys`, or by phone where there is none in the patient's language."""
        usable = [key for key in keys or self.talk.first if not self.spanish or key in SPANISH]
        if not usable or self.line.channel is Channel.VOICE:
            return self.call()
        key = self.rng.choice(usable)
        self.events.append(
            did.Replied(
                at=self.at,
                thread=self.thread,
                by=self.by,
                template=key,
                language="es" if self.spanish else "en",
                personal=self.rng.choice(self.talk.personals) if key in PERSONAL else None,
            )
        )
        return self

    def call(self) -> Scene:
        """Staff reach the patient by phone."""
        return self._called("reached", self.rng.choice(self.talk.calls))

    def miss(self) -> Scene:
        """Staff call in vain."""
        words = self.rng.choice(self.talk.missed)
        return self._called("voicemail" if "oicemail" in words or words.startswith("Left") else "no_answer", words)

    def note(self, words: str | None = None) -> Scene:
        """Staff write down something for each other."""
        text = words or self.rng.choice(self.talk.notes)
        self.events.append(did.Noted(at=self.at, thread=self.thread, by=self.by, words=text))
        return self

    def claim(self, by: str | None = None) -> Scene:
        """Someone takes it."""
        self.by = by or self.by
        self.events.append(did.Claimed(at=self.at, thread=self.thread, by=self.by))
        return self

    def move(self) -> Scene:
        """It goes to the lane where the rest of it belongs, and someone there goes on."""
        passing = self.talk.move
        assert passing.lane is not None
        self.events.append(
            did.Moved(
                at=self.at,
                thread=self.thread,
                by=self.by,
                lane=passing.lane,
                reason=passing.reason,
                words=passing.words,
            )
        )
        self.lane, self.by = passing.lane, self.cast.worker(passing.lane)
        return self

    def escalate(self) -> Scene:
        """It is raised with one question, and who was asked goes on."""
        passing = self.talk.escalation
        assert passing.to is not None
        if passing.to is Role.PHYSICIAN:
            self.by = self.cast.nurse()
        self.events.append(
            did.Escalated(
                at=self.at, thread=self.thread, by=self.by, to=passing.to, reason=passing.reason, words=passing.words
            )
        )
        if passing.to is Role.PHYSICIAN:
            self.lane = PHYSICIAN_LANE
        self.by = self.cast.only(passing.to)
        return self

    def snooze(self, until: datetime) -> Scene:
        """It is put off."""
        words = self.rng.choice(self.talk.snooze)
        self.events.append(did.Snoozed(at=self.at, thread=self.thread, by=self.by, until=until, words=words))
        return self

    def close(self, outcome: str | None = None) -> Scene:
        """It ends."""
        usual = self.rng.choice([code for code in self.talk.outcomes if code != "no_response"])
        self.events.append(did.Closed(at=self.at, thread=self.thread, by=self.by, outcome=outcome or usual))
        return self

    def thank(self) -> Scene:
        """The patient says thanks after the end, which opens nothing again."""
        self.at += timedelta(minutes=self.rng.randint(2, 90))
        return self.say(self.rng.choice(self.cast.special.thanks))

    def _called(self, outcome: str, words: str) -> Scene:
        self.events.append(did.Called(at=self.at, thread=self.thread, by=self.by, outcome=outcome, words=words))
        return self


def finished(scene: Scene) -> Scene:
    """A conversation from its first text to its end, in one of the ways they usually go."""
    way = scene.rng.choices(tuple(WAYS), tuple(WAYS.values()))[0]
    if scene.line.channel is Channel.VOICE and way in ("written", "silent"):
        way = "called"
    WAYS_OF[way](scene.say().wait(4, 150))
    by_text = scene.line.channel is Channel.SMS
    if by_text and way in ("written", "called") and scene.rng.random() < 0.3:  # noqa: PLR2004
        scene.thank()
    return scene


def _written(scene: Scene) -> Scene:
    scene.reply().wait(8, 240)
    if scene.rng.random() < 0.6:  # noqa: PLR2004
        scene.answer().wait(5, 120)
    if scene.rng.random() < 0.35:  # noqa: PLR2004
        scene.note().wait(2, 30)
    if scene.rng.random() < 0.5:  # noqa: PLR2004
        scene.reply(scene.talk.last).wait(3, 60)
    return scene.close()


def _snoozed(scene: Scene) -> Scene:
    scene.note().wait(1, 4).snooze(scene.days.later(scene.at, 470))
    return scene.wait(480, 560).call().wait(2, 8).close()


WAYS_OF: Mapping[str, Callable[[Scene], Scene]] = {
    "written": _written,
    "called": lambda scene: scene.call().wait(1, 6).close(),
    "missed": lambda scene: scene.miss().wait(90, 420).call().wait(1, 9).close(),
    "snoozed": _snoozed,
    "silent": lambda scene: scene.reply().wait(700, 940).close("no_response"),
    "moved": lambda scene: scene.move().wait(20, 260).call().wait(1, 8).close("resolved"),
    "escalated": lambda scene: scene.escalate().wait(15, 300).call().wait(1, 10).close("resolved"),
}
