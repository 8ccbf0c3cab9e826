"""A rehearsal: what a draft playbook would have done with the texts that came in, beside what the one in force does.

Both playbooks route the same stored texts by the same facts: each text's own channel, time and
subject, its sender as known when it came, the patient's language and age. What alarmed, or could
not be screened, lies where danger puts it under either. Nothing is changed; texts are opened by
the system in listings of a batch each, and only their conversations' numbers come out.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, Select, func, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.model import Direction, MessageKind, Screened
from crm_core.channels.quoting import new_part
from crm_core.channels.tables import Message
from crm_core.inbox.model import Verb
from crm_core.inbox.routing.deciding import route
from crm_core.inbox.routing.facts import NOBODY, Asker, facts, pending_of, people
from crm_core.inbox.rules import DANGER_LANE, InboxRules, compile_inbox, inbox_rules
from crm_core.inbox.tables import Conversation, Step
from crm_core.patients.tables import LINK, PATIENT, ROOT
from crm_core.playbook.loader import Playbook
from crm_core.vault.sealed import Shown
from crm_core.words import Priority
from crm_core.work.units import ReadUnit, WriteUnit

BATCH = 500
_LISTING = "rehearsal"


class Placed(NamedTuple):
    """Where one playbook puts a text."""

    lane: str
    category: str
    priority: Priority
    rule: str


class Sample(NamedTuple):
    """One text that would lie elsewhere."""

    conversation_id: int
    message_id: int
    now: Placed
    then: Placed


@dataclass(kw_only=True)
class Comparison:
    """Counts that grow with every text; of each pair of lanes the newest `samples` are kept."""

    samples: int
    texts: int = 0
    recategorised: int = 0
    reprioritised: Counter[tuple[Priority, Priority]] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)
    then: Counter[str] = field(default_factory=Counter)
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept: dict[tuple[str, str], deque[Sample]] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        """Count one text."""
        now, then = sample.now, sample.then
        self.texts += 1
        self.now[now.lane] += 1
        self.then[then.lane] += 1
        self.recategorised += now.category != then.category
        if now.priority is not then.priority:
            self.reprioritised[now.priority, then.priority] += 1
        if now.lane != then.lane:
            pair = (now.lane, then.lane)
            self.moved[pair] += 1
            self.kept.setdefault(pair, deque(maxlen=self.samples)).append(sample)


@dataclass(kw_only=True)
class Rehearsal:
    """One run over the texts since `since`; make it with `begin`, then call `rehearse_some` until it is done.

    `first` compares the texts that began conversations, `reopening` those that reopened one.
    """

    draft: InboxRules
    since: datetime
    total: int
    first: Comparison
    reopening: Comparison
    held: int = 0
    """Texts that lie where danger puts them, whatever the rules say."""
    done: bool = False
    _after: int = 0
    _reopening: bool = False

    def advance(self, last: int | None) -> None:
        """The next batch begins after `last`; None ends a pass."""
        if last is not None:
            self._after = last
        elif not self._reopening:
            self._reopening, self._after = True, 0
        else:
            self.done = True

    @property
    def comparison(self) -> Comparison:
        """What the pass that is running counts."""
        return self.reopening if self._reopening else self.first

    def batch(self) -> Select[Any]:
        """The next ids to look at: of conversations, then of the steps that reopened one."""
        if self._reopening:
            statement = select(Step.id).where(Step.verb == Verb.REOPENED, Step.at >= self.since, Step.id > self._after)
            return statement.order_by(Step.id).limit(BATCH)
        statement = select(Conversation.id).where(Conversation.opened_at >= self.since, Conversation.id > self._after)
        return statement.order_by(Conversation.id).limit(BATCH)

    def texts(self, ids: Sequence[int]) -> Executable:
        """The texts of that batch."""
        return _reopening_texts(ids) if self._reopening else _first_texts(ids)


@needs(Permission.PLAYBOOK_REHEARSE)
def begin(unit: WriteUnit, draft: Playbook, since: datetime, *, samples: int) -> Rehearsal:
    """Say in the audit that the texts since then are gone through, and make ready; the draft has been checked."""
    total = unit.scalar(select(func.count()).select_from(Conversation).where(Conversation.opened_at >= since))
    unit.audit(Tag.PLAYBOOK_REHEARSED, inbox_rules(unit).version, why=f"{total} texts since {since:%Y-%m-%d}")
    return Rehearsal(
        draft=compile_inbox(draft),
        since=since,
        total=total,
        first=Comparison(samples=samples),
        reopening=Comparison(samples=samples),
    )


@needs(Permission.PLAYBOOK_REHEARSE)
def rehearse_some(unit: ReadUnit, rehearsal: Rehearsal) -> None:
    """Go through the next batch. Opening a text asks for more than reading the playbook: the unit is the system's."""
    ids = unit.scalars(rehearsal.batch())
    if not ids:
        rehearsal.advance(None)
        return
    rules, comparison = inbox_rules(unit), rehearsal.comparison
    with unit.listing(_LISTING, "since"):
        for row, now, then in _routed(unit, rules, rehearsal.draft, rehearsal.texts(ids)):
            if row.screened is not Screened.CLEAR:
                rehearsal.held += 1
            comparison.add(Sample(row.conversation_id, row.id, now, then))
    rehearsal.advance(ids[-1])


@needs(Permission.CONVERSATION_READ)
def sample_texts(unit: ReadUnit, samples: Sequence[Sample]) -> dict[int, Shown]:
    """What the samples say, by message, in the lanes that this person may see; one listing."""
    mine = Conversation.lane.in_(inbox_rules(unit).visible(unit.actor))
    rows = unit.execute(
        select(Message.id, Message.body)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.id.in_([sample.message_id for sample in samples]), mine)
    ).all()
    with unit.listing(f"{_LISTING} samples", "since"):
        return {row.id: unit.open(row.body) or Shown("") for row in rows}


_TEXT = (
    Message.id, Message.conversation_id, Message.channel, Message.at, Message.contact_point_id, Message.screened,
    Message.body, Message.subject, Message.choice,
)  # fmt: skip
_INBOUND: tuple[ColumnElement[bool], ...] = (
    Message.direction == Direction.IN,
    Message.kind == MessageKind.TEXT,
)


def _first_texts(conversation_ids: Sequence[int]) -> Executable:
    """The text that was recorded first in each conversation."""
    order = func.row_number().over(partition_by=Message.conversation_id, order_by=(Message.recorded_at, Message.id))
    numbered = (
        select(Message.id, order.label("place"))
        .where(Message.conversation_id.in_(conversation_ids), *_INBOUND)
        .subquery()
    )
    return select(*_TEXT).join(numbered, (numbered.c.id == Message.id) & (numbered.c.place == 1)).order_by(Message.id)


def _reopening_texts(step_ids: Sequence[int]) -> Executable:
    """The texts with which a closed conversation began again: recorded in the unit that wrote the step."""
    with_it = (Step.conversation_id == Message.conversation_id) & (Step.at == Message.recorded_at)
    return select(*_TEXT).join(Step, with_it).where(Step.id.in_(step_ids), *_INBOUND).order_by(Message.id)


def _routed(
    unit: ReadUnit, rules: InboxRules, draft: InboxRules, texts: Executable
) -> Iterator[tuple[Any, Placed, Placed]]:
    """Each text with where the rules in force put it, and where the draft does."""
    rows = unit.execute(texts).all()
    senders = _senders(unit, [row.contact_point_id for row in rows])
    asked = rules.routing.asked | draft.routing.asked
    known_as = {row.id: _known_by(senders, row.contact_point_id, row.at) for row in rows}
    known = people(unit, asked, [each[0] for each in known_as.values() if len(each) == 1])
    for row in rows:
        asker = Asker(
            text=new_part(unit.open(row.body) or ""),
            subject=unit.open(row.subject),
            channel=row.channel,
            at=row.at,
            choice=unit.open(row.choice),
            patient_ids=known_as[row.id],
        )
        one = asker.patient_ids[0] if len(asker.patient_ids) == 1 else None
        person = known.get(one, NOBODY) if one is not None else NOBODY
        pending = pending_of(unit, asked, one, row.at) if one is not None else {}
        placed = []
        for each in (rules, draft):
            decision = route(each.routing, facts(each, asker, person, pending))
            by_rules = Placed(decision.lane, decision.category, decision.priority, decision.reason)
            placed.append(_by_screening(each, row.screened, by_rules))
        yield row, placed[0], placed[1]


def _by_screening(rules: InboxRules, screened: Screened, placed: Placed) -> Placed:
    """Danger first, and what nobody could screen to the catch-all lane: neither is the rules' to decide."""
    if screened is Screened.ALARM:
        return placed._replace(lane=DANGER_LANE, priority=Priority.STAT)
    if screened is Screened.UNSCREENED:
        priority = min(placed.priority, Priority.ASAP, key=lambda each: each.rank)
        return placed._replace(lane=rules.lanes.catch_all.key, priority=priority)
    return placed


_Links = Mapping[int, Sequence[tuple[datetime, int]]]


def _senders(unit: ReadUnit, points: Sequence[int | None]) -> _Links:
    """Who uses these contact points, and since when we know."""
    wanted = sorted({point for point in points if point is not None})
    rows = unit.execute(
        select(LINK.c.contact_point_id, LINK.c.since, ROOT.label("patient_id"))
        .select_from(LINK.join(PATIENT, PATIENT.c.id == LINK.c.patient_id))
        .where(LINK.c.contact_point_id.in_(wanted))
        .order_by(ROOT)
    )
    links: dict[int, list[tuple[datetime, int]]] = {}
    for row in rows:
        links.setdefault(row.contact_point_id, []).append((row.since, row.patient_id))
    return links


def _known_by(links: _Links, point: int | None, at: datetime) -> tuple[int, ...]:
    """The patients whose number it was known to be at that time."""
    if point is None:
        return ()
    return tuple(dict.fromkeys(patient_id for since, patient_id in links.get(point, ()) if since <= at))
