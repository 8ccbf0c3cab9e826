"""Units of work: what a service is handed, and the only place that commits.

A read unit cannot write, and lets no plaintext out before the audit of what it opened is
committed: return what you read from inside the `with` block, and a failing audit raises
before the caller has it. A write unit commits once, at its end, with its audit rows, or
leaves nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import ColumnElement, CursorResult, Executable
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from crm_core.access.guard import CutOff
from crm_core.access.model import SYSTEM, Actor, Permission
from crm_core.audit.chain import Chain, Entry, Ledger
from crm_core.audit.tags import Outcome, Tag
from crm_core.clock import Clock
from crm_core.errors import CrmError, NotFound, NotPermitted
from crm_core.store.dialect import among
from crm_core.store.driver_errors import FROM_THE_STORE, Unanswered, translate
from crm_core.store.engines import Store
from crm_core.store.feed import Topic
from crm_core.store.ids import take_block
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed, Shown
from crm_core.vault.vault import Vault
from crm_core.work.openings import Openings

log = logging.getLogger(__name__)

_NEEDED = {
    "patient": Permission.PATIENT_READ,
    "patient_identifier": Permission.PATIENT_READ,
    "contact_point": Permission.PATIENT_READ,
    "message": Permission.CONVERSATION_READ,
    "note": Permission.CONVERSATION_READ,
    "conversation": Permission.CONVERSATION_READ,
    "task": Permission.TASK_READ,
    "attachment": Permission.CONVERSATION_READ,
    "saved_view": Permission.CONVERSATION_READ,
    "incoming": Permission.MESSAGE_RECEIVE,
    "consent": Permission.CONSENT_READ,
    "confidential_request": Permission.CONSENT_READ,
    "proxy": Permission.PATIENT_READ,
    "notice": Permission.NOTICE_READ,
    "ring": Permission.PATIENT_READ,
}
"""The permission that opening a value of each kind of record asks for."""


_SESSION: dict[str, Any] = {"autoflush": False, "expire_on_commit": False, "close_resets_only": False}
"""A closed session stays closed: what is asked of a unit that has ended fails."""

_LONGEST_ID = 19
"""Digits; more is no id of ours."""


class Units:
    """Makes units of work over one store; one per process, shared between threads.

    `guard` is called with each new unit of a person and refuses an account disabled since.
    """

    def __init__(
        self, *, store: Store, vault: Vault, ledger: Ledger, clock: Clock, guard: Callable[[ReadUnit], None]
    ) -> None:
        self.store = store
        self.vault = vault
        self.ledger = ledger
        self.clock = clock
        self.guard = guard
        self.shared: dict[str, Any] = {}

    def read(self, actor: Actor) -> ReadUnit:
        """A unit that reads: `with units.read(actor) as unit:`."""
        return ReadUnit(self, actor)

    def write(self, actor: Actor) -> WriteUnit:
        """A unit that writes: `with units.write(actor) as unit:`."""
        return WriteUnit(self, actor)

    def record(self, actor: Actor, entries: Sequence[Entry]) -> None:
        """Commit audit rows alone: openings of a read unit, and refusals."""
        try:
            with (
                self.store.turn(),
                Session(self.store.writing, autoflush=False) as session,
                self.ledger.chain_for(session) as chain,
            ):
                chain.append(entries, actor_id=actor.staff_id, now=self.clock.now())
                session.commit()
        except FROM_THE_STORE as error:
            raise translate(error) from None


class ReadUnit:
    """Reads of one moment, by one actor. Everything it opens is audited before it is shown."""

    def __init__(self, units: Units, actor: Actor) -> None:
        self._units = units
        self.actor = actor
        self.now: datetime = units.clock.now()
        self.vault = units.vault
        self.shared = units.shared
        self.session = self._session()
        self._openings = Openings()
        self._over = False

    def _session(self) -> Session:
        return Session(self._units.store.reading, **_SESSION)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._units.store.dialect

    def among(self, column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
        """Whether a column of ids is one of these: the way for many, in what runs for whole batches."""
        return among(self.dialect, column, ids)

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run one statement; composite columns come back as `Sealed`."""
        return self.session.execute(statement, parameters)  # type: ignore[return-value]

    def scalar(self, statement: Executable) -> Any:
        """The first column of the first row, or None."""
        return self.session.execute(statement).scalar()

    def scalars(self, statement: Executable) -> list[Any]:
        """The first column of every row."""
        return list(self.session.execute(statement).scalars())

    def open(self, sealed: Sealed) -> Shown | None:
        """The plaintext, None for NULL; noted for the audit. Refused without the permission."""
        return self.vault.open(sealed) if self._may_open(sealed) else None

    def open_bytes(self, sealed: Sealed) -> bytes | None:
        """A file's bytes, as `open` gives a text: same permission, same audit."""
        return self.vault.open_bytes(sealed) if self._may_open(sealed) else None

    def _may_open(self, sealed: Sealed) -> bool:
        """Refuse an opening, or note it for the audit; whether there is anything to open."""
        if self._over:
            raise RuntimeError("a unit of work that has ended opens nothing: its audit is written")
        needed = _NEEDED[sealed.field.kind]
        if not self.actor.may(needed):
            raise NotPermitted(action=f"open a {sealed.field.kind}", permission=needed.value)
        if sealed.blob is None:
            return False
        self._openings.note(sealed.field.kind, sealed.row_id)
        return True

    @contextmanager
    def listing(self, name: str, *filters: str) -> Iterator[None]:
        """Audit what is opened inside as one listing: its name, the filters' field names, packed ids."""
        with self._openings.listing(name, filters):
            yield

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException as error:
            self._end()
            if isinstance(error, CutOff):
                self._units.record(self.actor, [_denial(error)])
            if isinstance(error, FROM_THE_STORE):
                raise translate(error) from None
            raise
        return self

    def _begin(self) -> None:
        if self.actor.staff_id:
            self._units.guard(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        except FROM_THE_STORE as broken:
            raise translate(broken) from None
        finally:
            self._end()
        self._afterwards(error)

    def _finish(self) -> None:
        """What a clean exit does while the session is still open."""

    def _end(self) -> None:
        self._over = True
        try:
            self.session.close()
        except SQLAlchemyError as error:
            # A connection that was lost cannot be rolled back either; its pool drops it.
            log.warning("a unit did not end cleanly: %s", type(error).__name__)

    def _afterwards(self, error: BaseException | None) -> None:
        """Audit the openings, or the refusal; then let a driver's error out as ours."""
        entries = self._openings.entries()
        if isinstance(error, NotPermitted | NotFound):
            entries.append(_denial(error))
        if entries:
            self._units.record(self.actor, entries)
        if isinstance(error, FROM_THE_STORE):
            raise translate(error) from None


def _denial(error: CrmError) -> Entry:
    """A refused call: what was asked for, and of which record where that has a number."""
    facts = error.facts
    number = str(facts.get("id", "")).rpartition("-")[2]
    return Entry(
        tag=Tag.CALL_DENIED,
        ids=(int(number),) if number.isascii() and number.isdecimal() and len(number) < _LONGEST_ID else (),
        why=facts.get("action") or facts.get("kind") or "cut off",
        outcome=Outcome.DENIED,
    )


class WriteUnit(ReadUnit):
    """Changes by one actor that stand together or not at all. Services never commit."""

    def __init__(self, units: Units, actor: Actor) -> None:
        super().__init__(units, actor)
        self._entries: list[Entry] = []
        self._topics: set[Topic] = set()
        self._blocks: list[tuple[str, range]] = []
        self._turn = units.store.turn()
        self._has_turn = False
        self._committed = False
        self.batch_id: int | None = None
        """What is done to several at once shares it, so that it is taken back at once."""

    def _session(self) -> Session:
        return Session(self._units.store.writing, **_SESSION)

    def seal(self, field: Field, row_id: int, text: str | None) -> bytes | None:
        """The bytes for a sealed column of that row; None stays NULL."""
        return None if text is None else self.vault.seal(field, row_id, text)

    def seal_bytes(self, field: Field, row_id: int, data: bytes | None) -> bytes | None:
        """The bytes for a sealed column of a file; None stays NULL."""
        return None if data is None else self.vault.seal_bytes(field, row_id, data)

    def new_id(self, kind: str) -> int:
        """The next id of `kind`, a table's name."""
        return self.new_ids(kind, 1)[0]

    def new_ids(self, kind: str, count: int) -> range:
        """`count` consecutive ids of `kind`."""
        pool = self._units.store.ids
        taken = pool.take(kind, count)
        if taken is None:
            block = self._take_block(kind, max(count, pool.grow(kind)))
            taken = block[:count]
            pool.give(kind, block[count:])
        return taken

    def _take_block(self, kind: str, size: int) -> range:
        """A block in the midst of a unit. SQLite has no second writer, so there it is this unit's
        change, forgotten if it fails. On Postgres it is a short transaction of its own: held until
        the commit, the kind's row would stop every other process, and two units would deadlock.
        """
        if self.dialect == "sqlite":
            block = take_block(self.session.connection(), kind, size)
            self._blocks.append((kind, block))
            return block
        with self._units.store.writing.begin() as connection:
            return take_block(connection, kind, size)

    def audit(self, tag: Tag, *ids: int, why: str | None = None, outcome: Outcome = Outcome.DONE) -> None:
        """Say what this unit does, on which ids; `why` holds codes and counts, never a patient."""
        self._entries.append(Entry(tag=tag, ids=ids, why=why, outcome=outcome))

    @contextmanager
    def as_the_house(self) -> Iterator[None]:
        """Let other rooms do what follows from this person's act, though the person may not do it themselves.

        An import that learns of a death stops answers in conversations that the importer may not
        read. Nothing of it is shown to them; the audit has it under their name, in this unit.
        """
        actor, self.actor = self.actor, SYSTEM
        try:
            yield
        finally:
            self.actor = actor

    def changed(self, topic: Topic) -> None:
        """Tell listeners of `topic` after the commit."""
        self._topics.add(topic)

    def _begin(self) -> None:
        self._refill()
        self._turn.__enter__()
        self._has_turn = True
        super()._begin()
        # The time is read once it is this unit's turn: what waited is not back-dated.
        self.now = self._units.clock.now()

    def _refill(self) -> None:
        """Top up kinds that ran dry, in a short transaction of their own before the unit begins."""
        store = self._units.store
        low = store.ids.low()
        if not low:
            return
        with store.turn(), store.writing.begin() as connection:
            blocks = [(kind, take_block(connection, kind, store.ids.grow(kind))) for kind, _ in sorted(low)]
        for kind, block in blocks:
            store.ids.give(kind, block)

    def _finish(self) -> None:
        entries = [*self._entries, *self._openings.entries()]
        self._openings.clear()
        feed = self._units.store.feed
        feed.before_commit(self.session, self._topics)
        if entries:
            with self._units.ledger.chain_for(self.session) as chain:
                chain.append(entries, actor_id=self.actor.staff_id, now=self.now)
                lost = self._commit()
        else:
            chain, lost = None, self._commit()
        if lost is not None:
            self._ask_what_became(chain, lost)
        self._committed = True

    def _commit(self) -> DBAPIError | None:
        """Commit; the error, where the connection was lost before the store answered."""
        try:
            self.session.commit()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return error
        return None

    def _ask_what_became(self, chain: Chain | None, lost: DBAPIError) -> None:
        """Find out by the audit rows, which stand or fall with the rest; raises unless this was committed."""
        if chain is None:
            raise Unanswered from None
        try:
            stands = chain.stands(self._units.store.writing)
        except FROM_THE_STORE:
            raise Unanswered from None
        if not stands:
            raise translate(lost) from None

    def _end(self) -> None:
        try:
            super()._end()
            if not self._committed:
                for kind, block in self._blocks:
                    self._units.store.ids.forget(kind, block)
        finally:
            if self._has_turn:
                self._has_turn = False
                self._turn.__exit__(None, None, None)
        if self._committed:
            self._units.store.feed.after_commit(self._topics)
