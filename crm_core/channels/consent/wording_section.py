"""What patients are shown before they agree: consent.toml of a playbook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import StringConstraints, field_validator

from crm_core.channels.consent.model import About
from crm_core.playbook.clinic import ClinicSection
from crm_core.playbook.loader import Playbook, Section, Strict
from crm_core.playbook.problems import Caution, Problem

FILE = "consent.toml"

Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=20, max_length=2_000)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]


class Wording(Strict):
    """What is shown, or read out, before somebody agrees to one thing; a text for each language."""

    about: About
    texts: dict[Language, Words]


class ConsentSection(Strict):
    """consent.toml. `version` names these wordings in the ledger: change it whenever a text changes.

    `draft` says that nobody of the clinic has approved them yet.
    """

    version: Version | None = None
    draft: bool = True
    wording: tuple[Wording, ...] = ()

    @field_validator("wording")
    @classmethod
    def _each_once(cls, value: tuple[Wording, ...]) -> tuple[Wording, ...]:
        abouts = [one.about for one in value]
        twice = sorted({one for one in abouts if abouts.count(one) > 1})
        if twice:
            raise ValueError(f"has two wordings about {', '.join(twice)}")
        return value

    def text(self, about: About, language: str | None) -> str | None:
        """What is shown about it in that language, else in the first there is; None where there is no wording."""
        texts = next((one.texts for one in self.wording if one.about is about), None)
        if not texts:
            return None
        return texts.get((language or "")[:2]) or next(iter(texts.values()))


def check(playbook: Playbook) -> Iterator[Problem]:
    """Wordings have a version, and each is there in every language of the clinic."""
    section = playbook.section(ConsentSection)
    if section.wording and section.version is None:
        yield Problem(file=FILE, key="version", message="is not given: the ledger could not say what was shown")
    for number, one in enumerate(section.wording):
        missing = [language for language in playbook.section(ClinicSection).languages if language not in one.texts]
        if missing:
            said = f"has no text in {', '.join(missing)}, which the clinic speaks"
            yield Caution(file=FILE, key=f"wording[{number}].texts", message=said)


SECTION = Section(name="consent", model=ConsentSection, files=(FILE,), required=False, checks=(check,))
