"""One verb over several conversations: what it would do to which of them, then doing it as one act.

The caller commits in units of at most `IN_ONE_UNIT`, so that nobody waits behind a long one;
`batch_id` makes one act of them all, which one undo takes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.errors import CrmError, NotPermitted
from crm_core.inbox import handling
from crm_core.inbox.model import State, Verb
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import Alarm, Conversation
from crm_core.work.units import ReadUnit, WriteUnit

IN_ONE_UNIT = 50
MOST_AT_ONCE = 2_000
"""Conversations of one act; more is a mistake, or a matter for the playbook."""

CLOSED = "closed meanwhile"
GONE = "no longer in your lanes"
ALARM = "with an open alarm"
UNREAD = "could not be screened: a person reads it first"
CLINICAL = "only a clinician's to put aside"
OTHERS = "somebody else's"
THERE = "there already"

_PUTS_ASIDE = frozenset({Verb.CLOSED, Verb.MOVED, Verb.SNOOZED, Verb.ESCALATED})
_NOT_UNREAD = _PUTS_ASIDE | {Verb.ASSIGNED}
_TAKES_FROM_OTHERS = _PUTS_ASIDE | {Verb.RELEASED}


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """A verb with its facts: `act` does it to one. `lane` and `staff_id` are where it leads, if anywhere."""

    verb: Verb
    act: Callable[[WriteUnit, int], object]
    lane: str | None = None
    staff_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """Whom it would be done to, and how many are left out for which reason, most first."""

    fit: tuple[int, ...]
    left_out: tuple[tuple[str, int], ...]

    @property
    def excluded(self) -> str:
        """What is left out, in words: `2 with an open alarm, 1 closed meanwhile`."""
        return ", ".join(f"{count:,} {reason}" for reason, count in self.left_out)


@dataclass(frozen=True, kw_only=True)
class BulkDone:
    """What became of one unit of it. `refused` are the numbers with the sentences."""

    batch_id: int
    done: tuple[int, ...]
    refused: tuple[tuple[int, str], ...]


@needs(Permission.CONVERSATION_WORK)
def weigh(unit: ReadUnit, numbers: Sequence[int], bulk: Bulk) -> Weighed:
    """Who of these conversations the verb may be done to now; a statement for each 500."""
    lanes = inbox_rules(unit).visible(unit.actor)
    rows = {row.id: row for some in in_units(numbers, 500) for row in unit.execute(_weighing(some))}
    reasons = {number: _against(unit, bulk, rows.get(number), lanes) for number in dict.fromkeys(numbers)}
    left_out = Counter(reason for reason in reasons.values() if reason is not None)
    return Weighed(
        fit=tuple(number for number, reason in reasons.items() if reason is None),
        left_out=tuple(left_out.most_common()),
    )


@needs(Permission.CONVERSATION_WORK)
def do_to_all(unit: WriteUnit, numbers: Sequence[int], bulk: Bulk, *, batch_id: int | None = None) -> BulkDone:
    """Do it to at most `IN_ONE_UNIT` conversations; who no longer fits, or refuses, is left and named.

    `batch_id` is what the unit before gave back. NotPermitted ends it: it would be said of each.
    """
    if len(numbers) > IN_ONE_UNIT:
        raise ValueError(f"at most {IN_ONE_UNIT} in one unit")
    unit.batch_id = batch_id if batch_id is not None else unit.new_id("undo")
    rows = {row.id: row for row in unit.execute(_weighing(numbers))}
    lanes = inbox_rules(unit).visible(unit.actor)
    done: list[int] = []
    refused: list[tuple[int, str]] = []
    # In the order of their numbers, so that two such units wait for each other and never both.
    for number in sorted(set(numbers)):
        against = _against(unit, bulk, rows.get(number), lanes)
        if against is not None:
            refused.append((number, f"C-{number} was left: {against}."))
            continue
        try:
            bulk.act(unit, number)
        except NotPermitted:
            raise
        except CrmError as error:
            refused.append((number, error.message))
        else:
            done.append(number)
    return BulkDone(batch_id=unit.batch_id, done=tuple(done), refused=tuple(refused))


def moving(lane: str, reason: str, words: str | None = None) -> Bulk:
    """Move them all; what went to and fro twice is a supervisor's now, and is named."""

    def act(unit: WriteUnit, number: int) -> None:
        if not handling.move(unit, number, lane=lane, reason=reason, words=words):
            raise handling.PassedToAndFro(conversation_id=number)

    return Bulk(verb=Verb.MOVED, act=act, lane=lane)


def in_units(numbers: Sequence[int], size: int = IN_ONE_UNIT) -> Iterator[Sequence[int]]:
    """`numbers` in pieces of at most `size`."""
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


def _weighing(numbers: Sequence[int]) -> Any:
    alarmed = exists(select(Alarm.id).where(Alarm.conversation_id == Conversation.id)).label("alarmed")
    columns = (Conversation.id, Conversation.lane, Conversation.state, Conversation.owner_id)
    urgent = (Conversation.danger, Conversation.unscreened)
    return select(*columns, *urgent, alarmed).where(Conversation.id.in_(numbers))


def _against(unit: ReadUnit, bulk: Bulk, row: Any, lanes: frozenset[str]) -> str | None:  # noqa: PLR0911 - a reason each
    """Why this one is left out, or None.

    A danger is never acted on in bulk, and what could not be screened is put aside by nobody who
    has not read it (domain.md, Danger first).
    """
    if row is None or row.lane not in lanes:
        return GONE
    if row.state is State.CLOSED:
        return CLOSED
    if row.danger:
        return ALARM
    if row.unscreened and bulk.verb in _NOT_UNREAD:
        return UNREAD
    if row.alarmed and bulk.verb in _PUTS_ASIDE and not unit.actor.may(Permission.DANGER_ACT):
        return CLINICAL
    someone_elses = row.owner_id not in (None, unit.actor.staff_id)
    if someone_elses and bulk.verb in _TAKES_FROM_OTHERS and not unit.actor.may(Permission.CONVERSATION_ASSIGN):
        return OTHERS
    if (bulk.lane is not None and row.lane == bulk.lane) or (bulk.staff_id and row.owner_id == bulk.staff_id):
        return THERE
    return None
