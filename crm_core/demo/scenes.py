"""One conversation at a time: what its people say and do, moment by moment."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from crm_core.access.model import Role
from crm_core.demo import events as did
from crm_core.demo.casting import Cast, Line
from crm_core.demo.sources import Talk, answers, spanish_templates
from crm_core.demo.workdays import Workdays
from crm_core.words import Channel

PERSONAL = frozenset({"complaint_sorry", "scheduling_offer_times"})
"""The templates the demo uses that need a personal sentence."""

RUNNING_LATE = "scheduling_running_late"
"""The template for someone on the way: it is sent at once or not at all."""
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
        self.by = cast.worker(talk.lane)
        self.events: list[did.Event] = []
        self._said = 0
        self.template = ""

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
        """The patient writes back to the last template."""
        return self.say(self.rng.choice(answers()[self._language][self.template]))

    def reply(self, key: str | None = None) -> Scene:
        """Staff answer from `key`, or what fits the text; by phone where no template does in that language."""
        key = self.talk.template_for(self.line.text) if key is None else key
        if not key or (self.spanish and key not in spanish_templates()) or self.line.channel is Channel.VOICE:
            return self.call()
        self.template = key
        self.events.append(
            did.Replied(
                at=self.at,
                thread=self.thread,
                by=self.by,
                template=key,
                language=self._language,
                personal=self.rng.choice(self.talk.personals) if key in PERSONAL else None,
            )
        )
        return self

    @property
    def written_to(self) -> bool:
        """Whether the last thing that happened is a template that patients write back to."""
        return isinstance(self.events[-1], did.Replied) and self.template in answers()[self._language]

    @property
    def _language(self) -> str:
        return "es" if self.spanish else "en"

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
        self.by = self.cast.worker(passing.lane)
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
        self.by = self.cast.only(passing.to)
        return self

    def snooze(self, until: datetime) -> Scene:
        """It is put off."""
        words = self.rng.choice(self.talk.snooze)
        self.events.append(did.Snoozed(at=self.at, thread=self.thread, by=self.by, until=until, words=words))
        return self

    def close(self, outcome: str | None = None) -> Scene:
        """It ends."""
        self.events.append(did.Closed(at=self.at, thread=self.thread, by=self.by, outcome=outcome or self.talk.outcome))
        return self

    def thank(self) -> Scene:
        """The patient says thanks after the end, which opens nothing again."""
        self.at += timedelta(minutes=self.rng.randint(2, 90))
        special = self.cast.special
        return self.say(self.rng.choice(special.thanks_es if self.spanish else special.thanks))

    def _called(self, outcome: str, words: str) -> Scene:
        self.events.append(did.Called(at=self.at, thread=self.thread, by=self.by, outcome=outcome, words=words))
        return self


def finished(scene: Scene) -> Scene:
    """A conversation from its first text to its end, in one of the ways they usually go."""
    way = scene.rng.choices(tuple(WAYS), tuple(WAYS.values()))[0]
    if scene.line.channel is Channel.VOICE and way in ("written", "silent"):
        way = "called"
    at_once = scene.talk.template_for(scene.line.text) == RUNNING_LATE
    if at_once:
        way = "called" if scene.line.channel is Channel.VOICE else "written"
    WAYS_OF[way](scene.say().wait(*((1, 6) if at_once else (4, 150))))
    by_text = scene.line.channel is Channel.SMS
    if by_text and way in ("written", "called") and scene.rng.random() < 0.3:  # noqa: PLR2004
        scene.thank()
    return scene


def _written(scene: Scene) -> Scene:
    scene.reply().wait(8, 240)
    answered = scene.written_to and scene.rng.random() < 0.6  # noqa: PLR2004
    if answered:
        scene.answer().wait(5, 120)
    if scene.rng.random() < 0.35:  # noqa: PLR2004
        scene.note().wait(2, 30)
    if scene.template and scene.talk.last and scene.template not in scene.talk.last:
        scene.reply(scene.rng.choice(scene.talk.last)).wait(3, 60)
    elif answered:
        scene.call().wait(1, 20)
    return scene.close()


def _silent(scene: Scene) -> Scene:
    scene.reply()
    if scene.written_to:
        return scene.wait(700, 940).close("no_response")
    return scene.wait(1, 9).close()


def _snoozed(scene: Scene) -> Scene:
    scene.note().wait(1, 4).snooze(scene.days.later(scene.at, 470))
    return scene.wait(480, 560).call().wait(2, 8).close()


WAYS_OF: Mapping[str, Callable[[Scene], Scene]] = {
    "written": _written,
    "called": lambda scene: scene.call().wait(1, 6).close(),
    "missed": lambda scene: scene.miss().wait(90, 420).call().wait(1, 9).close(),
    "snoozed": _snoozed,
    "silent": _silent,
    "moved": lambda scene: scene.move().wait(20, 260).call().wait(1, 8).close("resolved"),
    "escalated": lambda scene: scene.escalate().wait(15, 300).call().wait(1, 10).close("resolved"),
}
