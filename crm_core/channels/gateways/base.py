"""What a gateway is: it takes one message, says how that ended, and can perhaps be asked later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from crm_core.errors import CrmError


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One message as a gateway gets it. `attempt_id` is its idempotency key at the provider.

    The last three are Message-IDs and an address, for letters in a thread.
    """

    attempt_id: str
    to: str
    body: str
    subject: str | None = None
    reply_to: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Outgoing({self.attempt_id!r})"


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
    """The gateway cannot take this now: {reason}; it is tried again later."""

    reason: str


class Permanent(CrmError):
    """The gateway will not take this: {reason}; reach the patient another way."""

    reason: str


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

    def find(self, attempt_id: str) -> Found | NotFound | CannotTell:
        """Whether an earlier attempt arrived."""

    def close(self) -> None:
        """Let go of connections; sending again opens new ones."""
