"""Filters and saved views, as the lanes ask for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from crm_core.access.model import Actor
from crm_core.app import Crm
from crm_core.inbox.lists import finding, views
from crm_core.inbox.lists.bulk import MOST_AT_ONCE
from crm_core.inbox.lists.filters import BadFilter, parse
from crm_core.inbox.lists.views import View
from crm_core.inbox.model import QueueItem
from crm_core.inbox.timing.passing import let_time_pass

__all__ = ["Answer", "FindingDesk", "Reading", "View", "ViewLine"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a typed filter was understood as: a mistake in a sentence, or whether it looks for words."""

    mistake: str = ""
    words: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A page of what answers to a filter; with `words` all of it, as of `at`.

    `everywhere` says that all my lanes were looked at; `looked` how far a search for words came,
    where its bound cut it.
    """

    items: tuple[QueueItem, ...]
    matching: int
    of: int
    everywhere: bool
    words: bool
    at: datetime
    looked: str = ""


@dataclass(frozen=True, kw_only=True)
class ViewLine:
    """A view with how many it shows; None where that would open texts."""

    view: View
    open: int | None


class FindingDesk:
    """What the lanes ask of filters and views, for one signed-in person."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor

    @property
    def may_share(self) -> bool:
        """Whether a view may be given to everybody."""
        return any(one.value == "conversation:assign" for one in self._actor.permissions)

    @staticmethod
    def understood(text: str) -> Reading:
        """What is typed, before anything is asked."""
        try:
            return Reading(words=bool(parse(text).words))
        except BadFilter as error:
            return Reading(mistake=error.message)

    def find(
        self,
        text: str,
        *,
        lane: str | None,
        everywhere: bool = False,
        limit: int = MOST_AT_ONCE,
        offset: int = 0,
        after: QueueItem | None = None,
    ) -> Answer:
        """A page of what answers to `text` in one lane, or in all of mine where it reaches beyond; BadFilter."""
        sought = parse(text)
        everywhere = everywhere or sought.looks_everywhere or lane is None
        words = bool(sought.words)
        let_time_pass(self._crm.units)
        with self._crm.read(self._actor) as unit:
            found = finding.find(
                unit,
                sought,
                lane=None if everywhere else lane,
                limit=MOST_AT_ONCE if words else limit,
                offset=0 if words else offset,
                after=None if words else after,
            )
        looked = f"looked through {found.looked_through:,} of {found.might:,}, the newest" if found.is_cut else ""
        return Answer(
            items=found.items,
            matching=found.matching,
            of=found.of,
            everywhere=everywhere,
            words=words,
            at=unit.now,
            looked=looked,
        )

    def again(self, answer: Answer) -> Answer:
        """What words found once, as it is now: texts are not opened anew because something changed."""
        with self._crm.read(self._actor) as unit:
            items = finding.still_there(unit, [item.conversation_id for item in answer.items])
        return replace(answer, items=items, matching=len(items))

    def views(self) -> list[ViewLine]:
        """Every view I may use, with its count."""
        with self._crm.read(self._actor) as unit:
            seen = views.views(unit)
            counts = views.view_counts(unit, seen)
        return [ViewLine(view=view, open=count) for view, count in zip(seen, counts, strict=True)]

    def save_view(self, name: str, text: str, *, shared: bool) -> None:
        """Keep a filter under a name."""
        with self._crm.write(self._actor) as unit:
            views.save_view(unit, name, text, shared=shared)

    def rename_view(self, name: str, to: str) -> None:
        """Give a view of mine another name."""
        with self._crm.write(self._actor) as unit:
            views.rename_view(unit, name, to)

    def drop_view(self, name: str) -> None:
        """Forget a view."""
        with self._crm.write(self._actor) as unit:
            views.drop_view(unit, name)
