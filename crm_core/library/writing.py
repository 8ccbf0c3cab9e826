"""Writing in the store: a new template, or a new version of one, as a draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.errors import Stale, UsageError
from crm_core.library.checking import known, unknown_codes
from crm_core.library.drafting import Place, add_drafts, newest_by_place
from crm_core.library.files import TemplateErrors
from crm_core.library.model import Origin, TemplateState
from crm_core.library.section import TemplateText
from crm_core.library.tables import Template
from crm_core.work.units import WriteUnit

_TEMPLATE = Template.__table__.c


class ThereAlready(UsageError):
    """There is a template {template} ({language}) already; edit that one, or choose another key."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What writing did: the new drafts' ids, and how many texts their newest version said already."""

    drafted: tuple[int, ...]
    unchanged: int


@needs(Permission.TEMPLATE_WRITE)
def write(unit: WriteUnit, text: TemplateText, *, above: int | None) -> Written:
    """Keep `text` as the next draft of its template.

    `above` is the number of the version it was made from: Stale where another is the newest by
    now, so that nobody's text is written over unseen. None is a new template or language:
    ThereAlready where it is not.
    """
    newest = _newest_held(unit, [text.key]).get((text.key, text.language))
    if above is None and newest is not None:
        raise ThereAlready(template=text.key, language=text.language)
    if above is not None and (newest is None or newest.number != above):
        raise Stale(id=f"The template {text.key} ({text.language})")
    return write_all(unit, [text])


@needs(Permission.TEMPLATE_WRITE)
def write_all(unit: WriteUnit, texts: Sequence[TemplateText]) -> Written:
    """Keep each text as the next draft of its template, but for what says the same as the newest version.

    Raises TemplateErrors with all that the playbook does not know. A draft may still have what
    the linter refuses: that is said when it is submitted.
    """
    codes = known(unit).codes
    unknown = tuple(problem for text in texts for problem in unknown_codes(text, codes))
    if unknown:
        raise TemplateErrors(unknown)
    newest = _newest_held(unit, sorted({text.key for text in texts}))
    fresh = []
    for text in texts:
        row = newest.get((text.key, text.language))
        if row is None or row.digest != text.digest() or row.state is TemplateState.RETIRED:
            fresh.append(text)
    drafted = add_drafts(unit, fresh, newest, origin=Origin.WRITTEN)
    return Written(drafted=tuple(drafted), unchanged=len(texts) - len(fresh))


def _newest_held(unit: WriteUnit, keys: Sequence[str]) -> dict[Place, Any]:
    """The newest version of each place of these templates, which nobody else writes above meanwhile."""
    if not keys:
        return {}
    if unit.dialect == "postgresql":
        unit.execute(select(_TEMPLATE.id).where(_TEMPLATE.key.in_(keys)).order_by(_TEMPLATE.id).with_for_update())
    return newest_by_place(unit, *keys)
