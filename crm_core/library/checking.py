"""Whether a template may go on: its own rules, what the playbook does not know, what the linter says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from pydantic import ValidationError
from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.library.files import TemplateErrors, file_name, read_files, text_of
from crm_core.library.lint import lint_text
from crm_core.library.model import TemplateState, TemplateView
from crm_core.library.section import TemplateText
from crm_core.library.tables import Template, TemplateVersion
from crm_core.playbook.problems import Caution, Problem, key_path
from crm_core.playbook.reading import line_of
from crm_core.work.units import ReadUnit

CODES = "library.codes"
"""Under this in `unit.shared` app.py puts who knows the playbook's categories and outcomes."""

_TEMPLATE, _VERSION = Template.__table__.c, TemplateVersion.__table__.c


@dataclass(frozen=True, kw_only=True)
class Codes:
    """What a template may name of the playbook's: categories, and outcomes to close with."""

    categories: frozenset[str]
    outcomes: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a text is judged against: the playbook's codes, and which templates have an English variant."""

    codes: Codes
    english: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What became of a text as it was typed: `text` is None where it does not hold together."""

    text: TemplateText | None
    findings: tuple[Problem, ...]

    @property
    def mistakes(self) -> tuple[Problem, ...]:
        """What keeps it from being submitted; the rest are cautions."""
        return mistakes(self.findings)


@needs(Permission.TEMPLATE_READ)
def known(unit: ReadUnit) -> Known:
    """What texts are judged against now; two statements."""
    codes: Callable[[ReadUnit], Codes] = unit.shared[CODES]
    english = unit.scalars(
        select(_TEMPLATE.key)
        .join_from(Template.__table__, TemplateVersion.__table__, _VERSION.template_id == _TEMPLATE.id)
        .where(_VERSION.language == "en", _VERSION.state != TemplateState.RETIRED)
        .distinct()
    )
    return Known(codes=codes(unit), english=frozenset(english))


@needs(Permission.TEMPLATE_READ)
def findings(unit: ReadUnit, version: TemplateView) -> list[Problem]:
    """Everything that is wrong or worth a look in a stored version, as of today's rules."""
    try:
        text = text_of(version)
    except ValidationError as error:
        file = file_name(version.key, version.language)
        return [Problem(file=file, key=".".join(map(str, each["loc"])), message=each["msg"]) for each in error.errors()]
    return list(examine(text, known(unit), today=unit.now.date()))


def examine(text: TemplateText, against: Known, *, today: date) -> Iterator[Problem]:
    """What is wrong or worth a look in a text that holds together."""
    yield from unknown_codes(text, against.codes)
    yield from lint_text(text, today=today, english=against.english | ({text.key} if text.language == "en" else set()))


def unknown_codes(text: TemplateText, codes: Codes) -> Iterator[Problem]:
    """What the text names that the playbook does not have."""
    for index, category in enumerate(text.categories):
        if category not in codes.categories:
            message = f"there is no category {category}; there are {', '.join(sorted(codes.categories))}"
            yield Problem(file=text.file, key=f"categories[{index}]", message=message)
    close = text.then.close if text.then is not None else None
    if close is not None and close not in codes.outcomes:
        message = f"there is no outcome {close}; there are {', '.join(sorted(codes.outcomes))}"
        yield Problem(file=text.file, key="then.close", message=message)


def examine_file(file: str, content: str, against: Known, *, today: date) -> Examined:
    """The same for a file's text as somebody types it, each finding with its line where it has one."""
    try:
        (text,) = read_files({file: content})
    except TemplateErrors as error:
        return Examined(text=None, findings=tuple(error.problems))
    found = (
        replace(each, line=line_of(file, content, key_path(each.key))) for each in examine(text, against, today=today)
    )
    return Examined(text=text, findings=tuple(found))


def mistakes(found: tuple[Problem, ...] | list[Problem]) -> tuple[Problem, ...]:
    """Those that refuse; a caution does not."""
    return tuple(each for each in found if not isinstance(each, Caution))
