"""The directory of services: what there is, where, for whom and how it is booked, to be found while answering.

A clinic's playbook lists it in directory.toml; one without that file has an empty directory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator
from rapidfuzz import fuzz

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.errors import NotFound
from crm_core.library.section import Key, Language, Line
from crm_core.playbook.clinic import ClinicSection
from crm_core.playbook.loader import Playbook, Section, Strict
from crm_core.playbook.problems import Caution, Problem
from crm_core.playbook.service import in_force
from crm_core.vault.tokens import name_words
from crm_core.work.units import ReadUnit

FILE = "directory.toml"
LOWEST = 74.0
"""Below this likeness (0 to 100) a service is not offered: `farmacy` is 93 like `pharmacy`, `parking` 40."""
_EXACT, _BEGINS, _SAID = 110.0, 100.0, 90.0
_LEAST_FUZZY = 4
"""Letters from which a word may be misspelt."""


class Service(Strict):
    """One service. `for_whom`, `how_to_book`, `phone` and `hours` are told where they are known.

    `aliases` are what people call it, in any language; `languages` (ISO 639-1) those spoken there.
    """

    key: Key
    title: Line
    what: Line
    where: Line
    for_whom: Line | None = None
    how_to_book: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=240)] | None = None
    phone: Line | None = None
    hours: Line | None = None
    languages: tuple[Language, ...] = ()
    aliases: tuple[Line, ...] = ()

    @property
    def lines(self) -> str:
        """What goes into an answer: title, where, how to book, phone, a line each."""
        told = (self.title, self.where, self.how_to_book, self.phone)
        return "\n".join(" ".join(line.split()) for line in told if line)


class DirectorySection(Strict):
    """directory.toml: `[service.KEY]` for each."""

    service: Mapping[Key, Service] = Field(default_factory=dict)

    @field_validator("service", mode="before")
    @classmethod
    def _with_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: {**each, "key": key} if isinstance(each, dict) else each for key, each in value.items()}


@needs(Permission.PLAYBOOK_READ)
def services(unit: ReadUnit) -> tuple[Service, ...]:
    """Every service of the playbook in force, by title."""
    listed = in_force(unit).section(DirectorySection).service.values()
    return tuple(sorted(listed, key=lambda service: service.title.casefold()))


@needs(Permission.PLAYBOOK_READ)
def find_services(unit: ReadUnit, text: str, limit: int = 10) -> list[Service]:
    """The services that answer to `text`, best first."""
    return found(services(unit), text)[:limit]


@needs(Permission.PLAYBOOK_READ)
def service_of(unit: ReadUnit, key: str) -> Service:
    """The service of that key; NotFound."""
    listed = in_force(unit).section(DirectorySection).service.get(key)
    if listed is None:
        raise NotFound(kind="service", id=key)
    return listed


def found(listed: Sequence[Service], text: str) -> list[Service]:
    """Those that answer to `text`, best first; all, as they are listed, for an empty one.

    Case and accents do not count. Each word must begin a word of the title, an alias or what it
    is, or be spelt nearly like one of the title or an alias.
    """
    wanted = name_words(text)
    if not wanted:
        return list(listed)
    scored = [(_likeness(wanted, service), service) for service in listed]
    likely = [(score, service) for score, service in scored if score >= LOWEST]
    likely.sort(key=lambda pair: -pair[0])
    return [service for _, service in likely]


def _likeness(wanted: Sequence[str], service: Service) -> float:
    names = [name_words(name) for name in (service.title, *service.aliases)]
    if list(wanted) in names:
        return _EXACT
    if any(all(_begins(part, name) for part in wanted) for name in names):
        return _BEGINS
    said = [word for text in (*names, name_words(service.what), name_words(service.for_whom or "")) for word in text]
    if all(_begins(part, said) for part in wanted):
        return _SAID
    called = [word for name in names for word in name]
    return min(_spelt_like(part, called, said) for part in wanted)


def _begins(part: str, words: Iterable[str]) -> bool:
    return any(word.startswith(part) for word in words)


def _spelt_like(part: str, called: Sequence[str], said: Sequence[str]) -> float:
    if _begins(part, said):
        return _SAID
    if len(part) < _LEAST_FUZZY:
        return 0.0
    return max((fuzz.ratio(part, word) for word in called), default=0.0)


def check_directory(playbook: Playbook) -> Iterator[Problem]:
    """Phones are possible numbers; a service says how it is booked; no two answer to one name."""
    import phonenumbers

    listed, country = playbook.section(DirectorySection).service, playbook.section(ClinicSection).country
    names: dict[str, str] = {}
    for key, service in listed.items():
        at = f"service.{key}"
        if service.phone is not None and not _possible(phonenumbers, service.phone, country):
            yield Problem(file=FILE, key=f"{at}.phone", message=f"{service.phone!r} is no phone number in {country}")
        if service.how_to_book is None:
            yield Caution(file=FILE, key=at, message="does not say how_to_book: nobody can tell a patient what to do")
        for name in dict.fromkeys(" ".join(name_words(each)) for each in (service.title, *service.aliases)):
            other = names.setdefault(name, key)
            if other != key:
                yield Caution(file=FILE, key=f"{at}.aliases", message=f"{name!r} is a name of {other}, too")


def _possible(phonenumbers: Any, phone: str, country: str) -> bool:
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(phone, country)))
    except phonenumbers.NumberParseException:
        return False


SECTION = Section(name="directory", model=DirectorySection, files=(FILE,), required=False, checks=(check_directory,))
"""Registered in sections.py with the others."""
