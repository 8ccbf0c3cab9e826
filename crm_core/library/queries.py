"""Reading the library: the whole of it, one template, or what may be sent."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.errors import NotFound
from crm_core.library.macro import Then, ThenTask
from crm_core.library.merge import fields_of
from crm_core.library.model import TemplateState, TemplateView, Variants
from crm_core.library.tables import Template, TemplateVersion
from crm_core.words import Channel
from crm_core.work.units import ReadUnit

_FALLBACK = "en"
_VERSION = TemplateVersion.__table__.c
_TEMPLATE = Template.__table__.c


@needs(Permission.TEMPLATE_READ)
def templates(unit: ReadUnit, *, state: TemplateState | None = None, language: str | None = None) -> list[TemplateView]:
    """The newest version of each template in each language and, where another, the approved one too.

    By key, language and number; `state` and `language` narrow what is returned.
    """
    newest: dict[tuple[int, str], int] = {}
    views = _views(unit)
    for view in views:
        place = (view.template_id, view.language)
        newest[place] = max(newest.get(place, 0), view.number)
    return [
        view
        for view in views
        if (view.number == newest[view.template_id, view.language] or view.state is TemplateState.APPROVED)
        and (state is None or view.state is state)
        and (language is None or view.language == language)
    ]


@needs(Permission.TEMPLATE_READ)
def show(unit: ReadUnit, key: str, language: str | None = None) -> list[TemplateView]:
    """Every version of one template, by language, newest first; NotFound for an unknown key."""
    views = [view for view in _views(unit, _TEMPLATE.key == key) if language is None or view.language == language]
    if not views:
        raise NotFound(kind="template", id=key)
    return sorted(views, key=lambda view: (view.language, -view.number))


@needs(Permission.TEMPLATE_READ)
def versions_of(unit: ReadUnit, keys: Collection[str]) -> dict[str, list[TemplateView]]:
    """Every version of each of these templates, by key; one statement for any number."""
    found: dict[str, list[TemplateView]] = {}
    for view in _views(unit, _TEMPLATE.key.in_(sorted(keys))):
        found.setdefault(view.key, []).append(view)
    return found


@needs(Permission.TEMPLATE_READ)
def every_version(unit: ReadUnit) -> list[TemplateView]:
    """Every version there ever was, by key, language and number."""
    return _views(unit)


@needs(Permission.TEMPLATE_READ)
def version(unit: ReadUnit, version_id: int) -> TemplateView:
    """One version by its own id, in whatever state; NotFound."""
    found = _views(unit, _VERSION.id == version_id)
    if not found:
        raise NotFound(kind="template version", id=version_id)
    return found[0]


@needs(Permission.TEMPLATE_READ)
def approved(
    unit: ReadUnit,
    *,
    channel: Channel | None = None,
    category: str | None = None,
    language: str = _FALLBACK,
    today: date | None = None,
) -> list[TemplateView]:
    """What may be sent: one variant of each template, by title.

    The variant is the one in `language`, else the English one. `today` is the clinic's date, by
    default the unit's in UTC; a version past its review date is left out. One statement.
    """
    today = today or unit.now.date()
    wanted = sorted({language, _FALLBACK})
    best: dict[int, TemplateView] = {}
    for view in _views(unit, _VERSION.state == TemplateState.APPROVED, _VERSION.language.in_(wanted)):
        if view.past_review(today) or (channel is not None and channel not in view.channels):
            continue
        if category is not None and category not in view.categories:
            continue
        if view.language == language or view.template_id not in best:
            best[view.template_id] = view
    return sorted(best.values(), key=lambda view: (view.title.casefold(), view.key))


@needs(Permission.TEMPLATE_READ)
def due_for_review(unit: ReadUnit, *, within: timedelta = timedelta(days=30)) -> list[TemplateView]:
    """The approved versions whose last day comes within that time, or has gone by; the earliest first."""
    until = unit.now.date() + within
    views = _views(unit, _VERSION.state == TemplateState.APPROVED, _VERSION.review_due <= until)
    return sorted(views, key=lambda view: (view.review_due or until, view.key, view.language))


@needs(Permission.TEMPLATE_READ)
def variants(unit: ReadUnit) -> list[Variants]:
    """Each template with its languages, by key: which may be sent, which only wait, which are not there.

    Asked of every language that any template in use speaks. One statement.
    """
    views = _views(unit, _VERSION.state != TemplateState.RETIRED)
    spoken = sorted({view.language for view in views})
    today = unit.now.date()
    found: dict[str, tuple[set[str], set[str]]] = {}
    for view in views:
        sent = view.state is TemplateState.APPROVED and not view.past_review(today)
        ready, waiting = found.setdefault(view.key, (set(), set()))
        (ready if sent else waiting).add(view.language)
    return [
        Variants(
            key=key,
            ready=tuple(sorted(ready)),
            waiting=tuple(sorted(waiting - ready)),
            missing=tuple(each for each in spoken if each not in ready | waiting),
        )
        for key, (ready, waiting) in found.items()
    ]


def _views(unit: ReadUnit, *where: ColumnElement[bool]) -> list[TemplateView]:
    statement = (
        select(_TEMPLATE.key, *_VERSION)
        .join_from(Template.__table__, TemplateVersion.__table__, _VERSION.template_id == _TEMPLATE.id)
        .where(*where)
        .order_by(_TEMPLATE.key, _VERSION.language, _VERSION.number)
    )
    return [_view(row) for row in unit.execute(statement)]


def _view(row: Any) -> TemplateView:
    return TemplateView(
        id=row.id,
        template_id=row.template_id,
        key=row.key,
        number=row.number,
        language=row.language,
        state=row.state,
        title=row.title,
        purpose=row.purpose,
        categories=tuple(row.categories.split()),
        channels=tuple(Channel(channel) for channel in row.channels.split()),
        body=row.body,
        fields=fields_of(row.body),
        needs_personal=row.needs_personal,
        review_months=row.review_months,
        review_due=row.review_due,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        retired_because=row.retired_because,
        then=_then(row),
        origin=row.origin,
        author_id=row.author_id,
        created_at=row.created_at,
        remark=row.remark,
    )


def _then(row: Any) -> Then | None:
    task = ThenTask(title=row.then_task, due=row.then_task_due) if row.then_task is not None else None
    if task is None and row.then_close is None and row.then_snooze is None:
        return None
    return Then(close=row.then_close, snooze=row.then_snooze, task=task)
