"""Finding open conversations by a filter, in the lanes that I may see and in working order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, case, func, select, true

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.tables import Message
from crm_core.errors import NotFound
from crm_core.inbox.lists.filter_conditions import conditions
from crm_core.inbox.lists.filters import Filter, WordTerm, folded, holds
from crm_core.inbox.model import END_OF_TIME, QueueItem
from crm_core.inbox.queries import WORKING_ORDER, behind, lines, opened
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import STILL_OPEN, Conversation, Note
from crm_core.patients.briefs import full_name
from crm_core.work.units import ReadUnit

MOST_LOOKED_THROUGH = 2_000
"""Conversations whose texts one search opens; the newest."""
AT_ONCE = 100
"""Conversations whose texts are in memory at the same time."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What answers to a filter.

    `items` are a page of them, in working order, `matching` how many there are, `of` how many
    are open where it was looked. A filter with words says how many it `looked_through`, of how
    many that it `might` have: where that is fewer, there may be more.
    """

    items: tuple[QueueItem, ...]
    matching: int
    of: int
    looked_through: int | None = None
    might: int | None = None

    @property
    def is_cut(self) -> bool:
        """Whether the bound was reached before every conversation was looked through."""
        return self.looked_through is not None and self.might is not None and self.looked_through < self.might


@needs(Permission.CONVERSATION_READ)
def find(
    unit: ReadUnit,
    sought: Filter,
    *,
    lane: str | None = None,
    limit: int = 200,
    after: QueueItem | None = None,
    offset: int = 0,
) -> Found:
    """A page of the open conversations that answer to `sought`, in one lane or in all that I may see.

    Without words: two statements more than `queue`, whatever is found. With words the names and
    texts of the newest 2,000 that answer to the rest are opened as one listing, 100 at a time.
    """
    rules = inbox_rules(unit)
    visible = rules.visible(unit.actor)
    if lane is not None and lane not in visible:
        raise NotFound(kind="lane", id=lane)
    inside: list[Any] = [STILL_OPEN, Conversation.lane.in_(sorted(visible) if lane is None else [lane])]
    where = conditions(unit, sought, rules)
    fits = case((and_(true(), *where), 1))
    counts = select(func.count(fits).label("matching"), func.count().label("of")).select_from(Conversation)
    counted = unit.execute(counts.where(*inside)).one()
    matching, of = int(counted.matching), int(counted.of)
    with unit.listing("search", *sought.field_names):
        if sought.words:
            return _by_words(unit, sought.words, [*inside, *where], might=matching, of=of, offset=offset, limit=limit)
        statement = lines().where(*inside, *where).order_by(*WORKING_ORDER).limit(limit)
        statement = statement.where(behind(after)) if after is not None else statement.offset(offset)
        return Found(items=opened(unit, unit.execute(statement).all()), matching=matching, of=of)


@needs(Permission.CONVERSATION_READ)
def still_there(unit: ReadUnit, conversation_ids: Sequence[int]) -> tuple[QueueItem, ...]:
    """Those of these conversations that are open and in my lanes, as they are now, in working order."""
    visible = sorted(inbox_rules(unit).visible(unit.actor))
    rows: list[Any] = []
    for some in _in_batches(conversation_ids, 500):
        inside = (STILL_OPEN, Conversation.lane.in_(visible), Conversation.id.in_(some))
        rows += unit.execute(lines().where(*inside)).all()
    with unit.listing("search", "conversation"):
        return opened(unit, sorted(rows, key=_place))


def _by_words(
    unit: ReadUnit, words: Sequence[WordTerm], where: Sequence[Any], *, might: int, of: int, offset: int, limit: int
) -> Found:
    newest = (Conversation.last_message_at.desc(), Conversation.id.desc())
    numbers = unit.scalars(select(Conversation.id).where(*where).order_by(*newest).limit(MOST_LOOKED_THROUGH))
    found: list[Row[Any]] = []
    for some in _in_batches(numbers, AT_ONCE):
        found += _answering(unit, words, some)
    page = sorted(found, key=_place)[offset : offset + limit]
    return Found(
        items=opened(unit, page),
        matching=len(found),
        of=of,
        looked_through=len(numbers),
        might=max(might, len(numbers)),
    )


def _answering(unit: ReadUnit, words: Sequence[WordTerm], numbers: Sequence[int]) -> Iterator[Row[Any]]:
    """The rows of these conversations in whose names or texts the words are; three statements.

    A text is opened only where what was opened before has not settled it.
    """
    rows = {row.id: row for row in unit.execute(lines().where(Conversation.id.in_(numbers)))}
    seen: defaultdict[int, set[WordTerm]] = defaultdict(set)

    def look(number: int, text: str | None) -> None:
        if text:
            shown = folded(text)
            seen[number].update(word for word in words if word not in seen[number] and holds(word, shown))

    for number, row in rows.items():
        name = full_name(unit.open(row.family), unit.open(row.given)) if row.patient_id is not None else ""
        for shown in (name, row.category, row.owner):
            look(number, shown)
    texts = select(Message.conversation_id, Message.body, Message.subject)
    for column, statement in (
        (Message.conversation_id, texts),
        (Note.conversation_id, select(Note.conversation_id, Note.body)),
    ):
        undecided = [number for number in rows if not _settled(words, seen[number])]
        for row in unit.execute(statement.where(column.in_(undecided))):
            for sealed in tuple(row)[1:]:
                if not _settled(words, seen[row.conversation_id]):
                    look(row.conversation_id, unit.open(sealed))
    return (row for number, row in rows.items() if all((word in seen[number]) != word.negated for word in words))


def _settled(words: Sequence[WordTerm], seen: set[WordTerm]) -> bool:
    """Whether no further text can change the answer."""
    unwanted = [word for word in words if word.negated]
    return any(word in seen for word in unwanted) or (not unwanted and seen.issuperset(words))


def _in_batches(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


def _place(row: Any) -> tuple[Any, ...]:
    """A row's place in the working order."""
    return (row.urgency, row.due_at or END_OF_TIME, row.waiting_since, row.id)
