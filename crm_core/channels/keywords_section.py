"""What the clinic answers to STOP, START and HELP: keywords.toml of a playbook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import StringConstraints

from crm_core.library.lint import asks_for_cancel
from crm_core.playbook.loader import Playbook, Section, Strict
from crm_core.playbook.problems import Problem

Answer = Annotated[str, StringConstraints(min_length=10, max_length=320)]


class KeywordsSection(Strict):
    """One short text each; none may ask for the word CANCEL (it is an opt-out word)."""

    opt_out: Answer
    opt_in: Answer
    help: Answer


def check(playbook: Playbook) -> Iterator[Problem]:
    """No answer asks for the word CANCEL."""
    for name, text in playbook.section(KeywordsSection):
        if asks_for_cancel(text):
            message = "asks for the word CANCEL, which opts a number out; name another way"
            yield Problem(file=FILE, key=name, message=message)


FILE = "keywords.toml"
SECTION = Section(name="keywords", model=KeywordsSection, files=(FILE,), checks=(check,))
