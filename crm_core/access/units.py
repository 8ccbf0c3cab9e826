"""What this room asks of a unit of work; the real ones live above it, in work/."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import CursorResult, Executable
from sqlalchemy.orm import Session

from crm_core.access.model import Actor
from crm_core.audit.tags import Outcome, Tag
from crm_core.vault.vault import Vault


class Reading(Protocol):
    """A unit that reads."""

    actor: Actor
    now: datetime
    session: Session
    vault: Vault

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]: ...

    def scalar(self, statement: Executable) -> Any: ...


class Writing(Reading, Protocol):
    """A unit that changes things."""

    def new_id(self, kind: str) -> int: ...

    def audit(self, tag: Tag, *ids: int, why: str | None = None, outcome: Outcome = Outcome.DONE) -> None: ...


class OpensUnits(Protocol):
    """Makes units: `Units`, and the application that holds it."""

    def write(self, actor: Actor) -> AbstractContextManager[Writing]: ...
