"""What the clinic answers to STOP, START and HELP: keywords.toml of a playbook."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from crm_core.playbook.loader import Section, Strict

Answer = Annotated[str, StringConstraints(min_length=10, max_length=320)]


class KeywordsSection(Strict):
    """One short text each; none may ask for the word CANCEL (it is an opt-out word)."""

    opt_out: Answer
    opt_in: Answer
    help: Answer


SECTION = Section(name="keywords", model=KeywordsSection, files=("keywords.toml",))
