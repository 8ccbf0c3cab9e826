"""What the demo is made of, read from `data/demo`."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from crm_core.access.model import Role


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DemoStaff(_Source):
    """A person who works in the demo clinic; `lanes` None means all that the roles may see.

    The `visitor` is who tries the demo out.
    """

    login: str
    name: str
    roles: tuple[Role, ...]
    lanes: tuple[str, ...] | None = None
    visitor: bool = False


class Origin(_Source):
    """Where a family's names come from; `languages` are shares of 100."""

    name: str
    weight: int
    languages: Mapping[str, int]
    two_family_names: bool = False
    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]


class PeopleSource(_Source):
    """people.toml."""

    town: str
    state: str
    zip: str
    streets: tuple[str, ...]
    area_codes: tuple[str, ...]
    unknown_area_code: str
    mail_hosts: tuple[str, ...]
    origin: tuple[Origin, ...]


class Passing(_Source):
    """A move or an escalation: where to, the code, and what is said."""

    reason: str
    words: str
    lane: str | None = None
    to: Role | None = None


class Fitting(_Source):
    """The template that answers a text holding one of `words`, or any text; empty for a call."""

    words: tuple[str, ...]
    template: str


class Talk(_Source):
    """talk/<category>.toml: what patients write about one thing, and how staff deal with it.

    `share` is the part of all conversations, in parts of the sum. A text that begins with `f:`
    or `m:` is a woman's or a man's. `last` are keys of templates that end the matter.
    """

    category: str
    lane: str
    share: int
    subject: str
    texts: tuple[str, ...]
    texts_es: tuple[str, ...]
    reply: tuple[Fitting, ...]
    last: tuple[str, ...]
    personals: tuple[str, ...]
    notes: tuple[str, ...]
    calls: tuple[str, ...]
    missed: tuple[str, ...]
    snooze: tuple[str, ...]
    outcome: str
    move: Passing
    escalation: Passing

    def template_for(self, text: str) -> str:
        """The template that answers `text`; empty where a call does."""
        folded = text.casefold()
        fits = (one.template for one in self.reply if not one.words or any(word in folded for word in one.words))
        return next(fits, "")


class Foreign(_Source):
    """A text in a language that nothing here screens."""

    language: str
    text: str


class SpecialSource(_Source):
    """special.toml: texts that are no ordinary request, and what fills the slots of all."""

    danger: tuple[str, ...]
    danger_es: tuple[str, ...]
    thanks_es: tuple[str, ...]
    danger_notes: tuple[str, ...]
    danger_calls: tuple[str, ...]
    unscreened: tuple[Foreign, ...]
    thanks: tuple[str, ...]
    stop: tuple[str, ...]
    help: tuple[str, ...]
    again: tuple[str, ...]
    unknown: tuple[str, ...]
    not_for_us: tuple[str, ...]
    shared: tuple[str, ...]
    slots: Mapping[str, tuple[str, ...]]


def staff() -> tuple[DemoStaff, ...]:
    """Everyone who works here, the visitor first."""
    everyone = [DemoStaff.model_validate(table) for table in _read("staff.toml")["staff"]]
    return tuple(sorted(everyone, key=lambda person: not person.visitor))


@functools.cache
def people_source() -> PeopleSource:
    """What patients are made of."""
    return PeopleSource.model_validate(_read("people.toml"))


@functools.cache
def special_source() -> SpecialSource:
    """Dangers, keywords, strangers and slots."""
    return SpecialSource.model_validate(_read("special.toml"))


@functools.cache
def answers() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """What patients write back, by language and template."""
    return {
        language: {key: tuple(texts) for key, texts in by_template.items()}
        for language, by_template in _read("answers.toml").items()
    }


def spanish_templates() -> frozenset[str]:
    """The templates the demo uses that have a Spanish variant."""
    return frozenset(answers()["es"])


@functools.cache
def talks() -> tuple[Talk, ...]:
    """Every category's talk, by category."""
    folder = importlib.resources.files("data") / "demo" / "talk"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return tuple(Talk.model_validate(_read(f"talk/{name}")) for name in names)


def _read(name: str) -> dict[str, Any]:
    path = importlib.resources.files("data") / "demo"
    for part in name.split("/"):
        path = path / part
    return tomllib.loads(path.read_text("utf-8"))
