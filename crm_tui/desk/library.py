"""Mode 6 as the console sees it: the shelf of templates, what is wrong with one, its way to the patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crm_core.access.model import Actor, Permission
from crm_core.app import Crm
from crm_core.inbox.template_uses import Uses, template_uses
from crm_core.library import checking, queries, service, writing
from crm_core.library.checking import Examined, Known
from crm_core.library.differences import Change, Line, differences
from crm_core.library.files import as_file, blank_file, file_name, renamed
from crm_core.library.merge import SAMPLE, fill
from crm_core.library.model import TemplateState, TemplateView
from crm_core.library.segments import segments
from crm_core.playbook.problems import Caution, Problem
from crm_core.words import Channel

__all__ = [
    "Change", "Examined", "Known", "LibraryDesk", "Line", "Place", "Problem", "Shelf", "ShelfRow", "TemplateState",
    "TemplateView", "as_file", "blank_file", "differences", "file_name", "renamed",
]  # fmt: skip

REVIEW_SOON = timedelta(days=30)

Place = tuple[str, str]
"""A template's key and a language."""


@dataclass(frozen=True, kw_only=True)
class ShelfRow:
    """One template in one language: every version, newest first, and how often any was sent."""

    versions: tuple[TemplateView, ...]
    sent: int
    last_sent: datetime | None
    ready: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def newest(self) -> TemplateView:
        """What would be edited, submitted, approved."""
        return self.versions[0]

    @property
    def in_force(self) -> TemplateView | None:
        """What is sent now."""
        return next((one for one in self.versions if one.state is TemplateState.APPROVED), None)

    @property
    def place(self) -> Place:
        """Which template, in which language."""
        return self.newest.key, self.newest.language

    def review(self, today: date) -> str:
        """`past` or `soon` where the version in force must be read again; empty where it need not."""
        due = self.in_force.review_due if self.in_force is not None else None
        if due is None or due > today + REVIEW_SOON:
            return ""
        return "past" if due < today else "soon"


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The whole library as of one moment, by key and language, and what its texts are judged against."""

    rows: tuple[ShelfRow, ...]
    against: Known
    today: date


class LibraryDesk:
    """Everything mode 6 asks of the core, for one signed-in person."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self.actor = actor

    def why_not(self, permission: str) -> str | None:
        """Why this person may not do it, as one sentence; None where they may."""
        asked = Permission(permission)
        return None if self.actor.may(asked) else f"Your roles may not {asked.phrase}; an administrator gives them."

    def shelf(self) -> Shelf:
        """Every version, its uses, and the playbook's codes; four statements, however many templates there are."""
        with self._crm.read(self.actor) as unit:
            views, uses = queries.every_version(unit), template_uses(unit)
            return Shelf(rows=_rows(views, uses), against=checking.known(unit), today=unit.now.date())

    def keep(self, examined: Examined, place: Place, above: int | None) -> None:
        """Keep a text as the next draft; refused where it names another template than it was opened as."""
        assert examined.text is not None
        renamed(examined.text, *place)
        with self._crm.write(self.actor) as unit:
            writing.write(unit, examined.text, above=above)

    def submit(self, place: Place) -> None:
        """Put the newest draft up for review."""
        with self._crm.write(self.actor) as unit:
            service.submit(unit, place[0], language=place[1])

    def approve(self, place: Place, number: int) -> None:
        """Let the version that was read be sent."""
        with self._crm.write(self.actor) as unit:
            service.approve(unit, place[0], language=place[1], number=number)

    def send_back(self, place: Place, number: int, remark: str) -> None:
        """Give it back to its author."""
        with self._crm.write(self.actor) as unit:
            service.send_back(unit, place[0], language=place[1], number=number, remark=remark)

    def retire(self, place: Place) -> None:
        """Take it out of use in this language."""
        with self._crm.write(self.actor) as unit:
            service.retire(unit, place[0], language=place[1])

    @staticmethod
    def examine(place: Place, typed: str, shelf: Shelf) -> Examined:
        """What is wrong with a text as it is typed; no store is asked."""
        return checking.examine_file(file_name(*place), typed, shelf.against, today=shelf.today)


def is_caution(problem: Problem) -> bool:
    """Whether it is only worth a look."""
    return isinstance(problem, Caution)


def length(key: str, body: str, channels: Sequence[str]) -> str:
    """How many texts it takes with rather long values: `1 text message, 142 of 160 (GSM-7)`; empty where it is none."""
    if Channel.SMS not in channels:
        return ""
    size = segments(fill(key, body, SAMPLE))
    because = f" because of {' '.join(size.odd)}" if size.odd else ""
    messages = "1 text message" if size.count == 1 else f"{size.count} text messages"
    return f"{messages} with long names, {size.units} places ({size.encoding}{because})"


def _rows(views: Sequence[TemplateView], uses: dict[int, Uses]) -> tuple[ShelfRow, ...]:
    places: dict[Place, list[TemplateView]] = {}
    for view in views:
        places.setdefault((view.key, view.language), []).append(view)
    spoken = sorted({view.language for view in views if view.state is not TemplateState.RETIRED})
    ready: dict[str, set[str]] = {}
    for view in views:
        if view.state is TemplateState.APPROVED:
            ready.setdefault(view.key, set()).add(view.language)
    rows = []
    for (key, _), versions in places.items():
        counted = [uses[view.id] for view in versions if view.id in uses]
        rows.append(
            ShelfRow(
                versions=tuple(sorted(versions, key=lambda view: -view.number)),
                sent=sum(one.count for one in counted),
                last_sent=max((one.last_at for one in counted), default=None),
                ready=tuple(sorted(ready.get(key, ()))),
                missing=tuple(each for each in spoken if each not in ready.get(key, ())),
            )
        )
    return tuple(rows)
