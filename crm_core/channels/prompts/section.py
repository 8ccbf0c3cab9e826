"""What the clinic says to a reply that a question of its own brought: prompts.toml of a playbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from crm_core.library.lint import asks_for_cancel
from crm_core.playbook.loader import Playbook, Section, Strict
from crm_core.playbook.problems import Problem

Answer = Annotated[str, StringConstraints(min_length=10, max_length=160)]
OPTIONS = "{options}"


def _with_options(value: str) -> str:
    if value.count(OPTIONS) != 1:
        raise ValueError(f"must say {OPTIONS} once, where the numbers and first names go")
    return value


class PromptTexts(Strict):
    """One language's answers. `which` asks whom of those who share a number a reply is about."""

    confirmed: Answer
    declined: Answer
    changed: Answer
    which: Annotated[Answer, AfterValidator(_with_options)]
    option: Annotated[str, StringConstraints(min_length=1, max_length=20)] = "for"


ENGLISH = PromptTexts(
    confirmed="Thank you, you are confirmed.",
    declined="Thank you for telling us. We will call you to find another time.",
    changed="This has changed since we asked, so nothing is confirmed. We will write to you again, or call us.",
    which="Who is this for? Please reply {options}.",
)
SPANISH = PromptTexts(
    confirmed="Gracias, queda confirmado.",
    declined="Gracias por avisarnos. Le llamaremos para buscar otro horario.",
    changed="Esto ha cambiado desde que le preguntamos, así que nada queda confirmado. Le escribiremos de nuevo.",
    which="¿Para quién es? Responda {options}.",
    option="para",
)


class PromptsSection(Strict):
    """prompts.toml: a `[text.en]` table for each language. A playbook without that file has the ones that ship."""

    text: Annotated[Mapping[str, PromptTexts], Field(min_length=1)] = {"en": ENGLISH, "es": SPANISH}

    def texts(self, language: str) -> PromptTexts:
        """Those in this language, else in English, else in the first there is."""
        return self.text.get(language) or self.text.get("en") or next(iter(self.text.values()))


def check(playbook: Playbook) -> Iterator[Problem]:
    """No answer of ours asks for a word that opts a number out."""
    for language, texts in playbook.section(PromptsSection).text.items():
        for name, text in texts:
            if asks_for_cancel(text):
                yield Problem(file=FILE, key=f"text.{language}.{name}", message="asks for the word CANCEL")


FILE = "prompts.toml"
SECTION = Section(name="prompts", model=PromptsSection, files=(FILE,), checks=(check,), required=False)
