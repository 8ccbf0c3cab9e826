"""What a gateway is: it takes one message, says how that ended, and can perhaps be asked later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from crm_core.errors import CrmError


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One message as a gateway gets it. `attempt_id` is its idempotency key at the provider.

    `reply_to` is an address, `in_reply_to` and `references` are Message-IDs, for letters in a thread.
    `letter_name` is what the letter's own has before the @. `automatic`: no person wrote it.
    `optional`: and its reader did not ask for it, so that it may be unsubscribed from.
    """

    attempt_id: str
    to: str
    body: str
    subject: str | None = None
    reply_to: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    letter_name: str | None = None
    automatic: bool = False
    optional: bool = False

    def __repr__(self) -> str:
        return f"Outgoing({self.attempt_id!r})"


@dataclass(frozen=True, kw_only=True)
class Sought:
    """An earlier attempt that its provider is asked after, and what tells it from others like it.

    `begun_at` is when it was last handed over, at the earliest; `asked_at` is now. `taken` are
    provider ids of other messages of ours to that number. `twins`: others of ours with the same
    words to it whose fate is open as well, so that one found could be theirs.
    """

    outgoing: Outgoing
    begun_at: datetime
    asked_at: datetime
    taken: frozenset[str] = field(default=frozenset())
    twins: int = 0


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The provider has it, under this id where it names one."""

    provider_id: str | None


@dataclass(frozen=True, kw_only=True)
class Found:
    """The provider has had this attempt."""

    provider_id: str | None


@dataclass(frozen=True, kw_only=True)
class NotFound:
    """The provider has not had this attempt, and it is long enough ago to say so."""


@dataclass(frozen=True, kw_only=True)
class CannotTell:
    """The provider cannot be asked."""


class Temporary(CrmError):
    """The gateway cannot take this now: {reason}; it is tried again later.

    `wait` is how long, where the provider says so. One that was not `tried`, as its turn did not
    come, has used up none of its tries.
    """

    reason: str
    wait: timedelta | None = None
    tried: bool = True


class Permanent(CrmError):
    """The gateway will not take this: {reason}; reach the patient another way.

    `code` is the provider's own. `bad_number`: nothing ever reaches it. `opted_out`: its user
    told the provider or carrier to stop.
    """

    reason: str
    code: str | None = None
    bad_number: bool = False
    opted_out: bool = False


class UnknownFate(CrmError):
    """The gateway may have this or not: {reason}; ask the provider, then `crm outbox resolve`."""

    reason: str


class Gateway(Protocol):
    """Carries messages of one channel. `real` says that they leave this house, by `vendor`.

    Calls give up well before
    delivery.LONGEST_CALL. Reasons are codes, never a patient's data.
    """

    @property
    def name(self) -> str: ...

    @property
    def real(self) -> bool: ...

    @property
    def vendor(self) -> str | None: ...

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand one message over; raises Temporary, Permanent or UnknownFate."""

    def find(self, sought: Sought) -> Found | NotFound | CannotTell:
        """Whether an earlier attempt arrived.

        NotFound lets it be sent again: a provider that is slow to show what it has raises Temporary
        until enough time has passed since `begun_at`. What fits more than one is CannotTell.
        """

    def close(self) -> None:
        """Let go of connections; sending again opens new ones."""
