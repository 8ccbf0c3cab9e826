"""Who writes, what they write, and who of the staff answers."""

from __future__ import annotations

import itertools
import random
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_core.access.model import Role
from crm_core.demo.people import Person
from crm_core.demo.sources import DemoStaff, SpecialSource, Talk, spanish_templates
from crm_core.words import Channel

APART = timedelta(days=12)
"""Between two conversations of one person: more than the five business days that would reopen the first."""
PHYSICIAN_LANE = "physician_review"

_SLOT = re.compile(r"\{(\w+)\}")
_GREETED = re.compile(r"(?:hi|hello|hola|hey|good|buen)", re.IGNORECASE)
_LANE_ROLES = {
    "clinical_triage": Role.NURSE,
    "referrals": Role.COORDINATOR,
    PHYSICIAN_LANE: Role.PHYSICIAN,
}
"""Whom the demo lets answer in a lane; elsewhere everyone who is listed for it."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A text with its sender."""

    person: Person
    channel: Channel
    sender: str
    text: str
    subject: str | None


class Cast:
    """Deals out senders, texts and staff; the same seed deals the same."""

    def __init__(
        self,
        rng: random.Random,
        people: Iterable[Person],
        staff: Iterable[DemoStaff],
        special: SpecialSource,
    ) -> None:
        self.rng = rng
        self._threads = itertools.count(1)
        self.special = special
        self._writers = [person for person in people if person.writes]
        self._staff = [person for person in staff if not person.visitor]
        self._busy: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        self._texts: dict[tuple[str, bool], list[str]] = {}
        self._workers: dict[str, list[str]] = {}

    def thread(self) -> str:
        """The next conversation's name in the plan."""
        return f"t{next(self._threads):04}"

    def worker(self, lane: str) -> str:
        """The login of someone who works `lane`."""
        if lane not in self._workers:
            role = _LANE_ROLES.get(lane)
            by_lane = [one for one in self._staff if one.lanes is not None and lane in one.lanes]
            able = [one for one in by_lane if role is None or role in one.roles]
            self._workers[lane] = [one.login for one in able] or [self.only(role or Role.SUPERVISOR)]
        return self.rng.choice(self._workers[lane])

    def only(self, role: Role) -> str:
        """The login of the first of the staff with that role."""
        return next(one.login for one in self._staff if role in one.roles)

    def nurse(self) -> str:
        """A nurse's login."""
        return self.rng.choice([one.login for one in self._staff if Role.NURSE in one.roles])

    def line(self, talk: Talk, at: datetime, until: datetime, *, by_voice: bool = True, written: bool = False) -> Line:
        """Someone free from `at` to `until`, and the next text of `talk` that fits that person.

        `written`: a text that a template answers in that person's language.
        """
        english_only = written and not any(_is_written(talk, text, spanish=True) for text in talk.texts_es)
        person = self.someone(at, until, "en" if english_only else None)
        text = self._text_for(talk, person, written=written)
        self.keep_busy(person, at, until)
        channel = self._channel(person, by_voice=by_voice)
        text = self.filled(text, person)
        if channel is not Channel.EMAIL:
            return Line(person=person, channel=channel, sender=person.phone or "", text=text, subject=None)
        letter = f"{text}\n\n{person.given} {person.family}"
        if not _GREETED.match(text):
            letter = f"{'Hola' if person.language == 'es' else 'Hello'},\n\n{letter}"
        return Line(person=person, channel=channel, sender=person.email or "", text=letter, subject=talk.subject)

    def someone(self, at: datetime, until: datetime, language: str | None = None) -> Person:
        """A person with nothing going on near that time, and the language wanted; LookupError for nobody.

        Without a language, one of the two that staff write in.
        """
        wanted = (language,) if language else ("en", "es")
        return self.rng.choice(
            [person for person in self._writers if person.language in wanted and self._is_free(person, at, until)]
        )

    def keep_busy(self, person: Person, at: datetime, until: datetime) -> None:
        """Let this phone send us nothing else around that time."""
        self._busy[person.phone or ""].append((at, until))

    def retire(self, person: Person) -> None:
        """Deal this person no more: the number opted out."""
        self._writers = [other for other in self._writers if other.phone != person.phone]

    def filled(self, text: str, person: Person | None) -> str:
        """`text` with its slots filled, a son of the house where there is one."""

        def fill(match: re.Match[str]) -> str:
            slot = match[1]
            if slot == "kid" and person is not None and person.boys:
                return person.boys[0]
            return self.rng.choice(self.special.slots[slot])

        return _SLOT.sub(fill, text)

    def _is_free(self, person: Person, at: datetime, until: datetime) -> bool:
        return all(until + APART < start or end + APART < at for start, end in self._busy[person.phone or ""])

    def _text_for(self, talk: Talk, person: Person, *, written: bool) -> str:
        """The text that was used longest ago among those this person might write."""
        spanish = person.language == "es"
        key = (talk.category, spanish)
        if key not in self._texts:
            texts = list(talk.texts_es if spanish else talk.texts)
            self.rng.shuffle(texts)
            self._texts[key] = texts
        texts = self._texts[key]
        for index, text in enumerate(texts):
            mark, rest = (text[0], text[2:]) if text[1] == ":" else ("", text)
            if ("{kid}" in rest and not person.boys) or (written and not _is_written(talk, rest, spanish=spanish)):
                continue
            if not mark or mark == ("f" if person.female else "m"):
                texts.append(texts.pop(index))
                return rest
        raise LookupError(f"nothing in {talk.category} fits {person.language}")

    def _channel(self, person: Person, *, by_voice: bool) -> Channel:
        roll = self.rng.random()
        if person.email and (roll < 0.12 or (not person.mobile and not by_voice)):  # noqa: PLR2004
            return Channel.EMAIL
        if by_voice and (not person.mobile or roll > 0.96):  # noqa: PLR2004
            return Channel.VOICE
        return Channel.SMS


def _is_written(talk: Talk, text: str, *, spanish: bool) -> bool:
    """Whether a template answers `text`, whatever fills its slots."""
    key = talk.template_for(text)
    return bool(key) and (not spanish or key in spanish_templates())
