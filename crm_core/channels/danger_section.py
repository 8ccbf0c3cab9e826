"""The playbook's danger lists: one file a language in `danger/`, and what a valid one holds.

A list is a small grammar. A *concept* is a set of items that mean the same thing to a
screener ("bleeding"); an *entry* says which concepts alarm when they stand close together, in
any order. An *item* is a word or a phrase, in small letters without accents or apostrophes;
its words follow each other with at most one other word between. In an item

    a|b             is either word, and `bleed{s,ing}` is bleed, bleeds or bleeding
    ..              leaves room for up to five other words
    #38-43          is a number in that range
    =word           is never matched by a misspelling
    +word           follows at once
    ~word           (in idioms) must follow and keeps its own meaning
    !blood sugar    (in concepts) leaves its words no other meaning
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from crm_core.channels.danger_items import parse_item
from crm_core.playbook.loader import Section, Strict

Item = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class DangerEntry(Strict):
    """What alarms: one concept of every group of `all` (`a|b`) and, if given, one item of `any`.

    `within` is the distance in words from the first group (from the item, where there is one);
    `unless` names concepts that take the alarm back when they stand near. `at_most` limits the
    entry to texts of so many words.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]
    all: tuple[str, ...] = ()
    any: tuple[Item, ...] = ()
    within: Annotated[int, Field(ge=1, le=40)] = 6
    unless: tuple[str, ...] = ()
    at_most: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> DangerEntry:
        if not self.all and not self.any:
            raise ValueError("an entry needs `all` or `any`")
        return self

    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The concepts of each group of `all`."""
        return tuple(tuple(group.split("|")) for group in self.all)


class Spelling(Strict):
    """How a list's words are misspelt.

    `everyday` words look like listed words and are not slips for them; `misspelt` says how
    people also write a word, apart by spaces; `respell` are letters written for one another.
    """

    everyday: str
    misspelt: dict[str, str] = {}
    respell: tuple[tuple[str, str], ...] = ()


class DangerList(Strict):
    """One language's list, as a clinician approved it.

    `function_words` tell the language; `numbers` are number words; `emoji` are read as words;
    `idioms` take the words of harmless phrases out, but for those after `~`.
    """

    file: str
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
    version: Annotated[int, Field(ge=1)]
    approved_by: Annotated[str, StringConstraints(min_length=3)]
    approved_on: date
    function_words: str
    numbers: dict[str, float]
    spelling: Spelling
    emoji: dict[str, str] = {}
    idioms: tuple[Item, ...] = ()
    concepts: dict[str, tuple[Item, ...]]
    entry: tuple[DangerEntry, ...]

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> DangerList:
        wrong = []
        seen: set[str] = set()
        for entry in self.entry:
            if entry.id in seen:
                wrong.append(f"entry {entry.id} stands twice")
            seen.add(entry.id)
            named = {name for group in entry.groups() for name in group} | set(entry.unless)
            wrong += [
                f"entry {entry.id} names the unknown concept {name}" for name in sorted(named - set(self.concepts))
            ]
        for where, item in self.items():
            try:
                parse_item(item)
            except ValueError as error:
                wrong.append(f"{where}: {error}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def items(self) -> Iterator[tuple[str, str]]:
        """Every item with where it stands."""
        for name, items in self.concepts.items():
            yield from ((f"concept {name}", item) for item in items)
        for entry in self.entry:
            yield from ((f"entry {entry.id}", item) for item in entry.any)
        yield from (("idioms", item) for item in self.idioms)


class DangerSection(Strict):
    """Every list of the playbook."""

    danger: tuple[DangerList, ...]

    @model_validator(mode="after")
    def _one_a_language(self) -> DangerSection:
        languages = [each.language for each in self.danger]
        if len(set(languages)) < len(languages):
            raise ValueError("a playbook has one danger list a language")
        return self


SECTION = Section(name="danger", model=DangerSection, files=("danger/*.toml",))
