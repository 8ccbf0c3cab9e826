"""What a patient can agree to, how that is told, and the pure rules of what stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crm_core.vault.sealed import Shown
from crm_core.words import Channel, Purpose


class About(StrEnum):
    """What an entry of the ledger is about: one purpose of a message, or more than that.

    `plain_content` is the patient's choice, made after a warning, to have details over a channel
    that anybody on the way can read. `everything` is every message on that channel.
    """

    ANSWER = "answer"
    CARE = "care"
    REMINDER = "reminder"
    NOTICE = "notice"
    OUTREACH = "outreach"
    PLAIN_CONTENT = "plain_content"
    EVERYTHING = "everything"

    @classmethod
    def of(cls, purpose: Purpose) -> About:
        """The same word."""
        return cls(purpose.value)


class Decision(StrEnum):
    """What was said."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class Consented(StrEnum):
    """What stands now; `none` where nobody has said anything."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    NONE = "none"


class SaidBy(StrEnum):
    """Whose decision an entry is."""

    PATIENT = "patient"
    PROXY = "proxy"
    STAFF = "staff"


class How(StrEnum):
    """The way a decision reached us."""

    IN_PERSON = "in_person"
    PHONE = "phone"
    FORM = "form"
    TEXT = "text"
    IMPORT = "import"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What stands, since when, and by which entry; both None where nothing was ever said.

    `entry_id` is None too where the number was opted out before there was a ledger.
    """

    state: Consented
    at: datetime | None = None
    entry_id: int | None = None

    @property
    def granted(self) -> bool:
        """Whether there is a consent that nothing has taken back."""
        return self.state is Consented.GRANTED

    @property
    def withdrawn(self) -> bool:
        """Whether somebody said no."""
        return self.state is Consented.WITHDRAWN


NOTHING_SAID = Standing(state=Consented.NONE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """An entry as far as it decides what stands."""

    id: int
    decision: Decision
    at: datetime

    @property
    def standing(self) -> Standing:
        """What stands where this is the last word."""
        return Standing(state=Consented(self.decision.value), at=self.at, entry_id=self.id)


def newest(said: Sequence[Said]) -> Said | None:
    """The last word of one record; of two at one moment the withdrawal."""
    return max(said, key=lambda one: (one.at, one.decision is Decision.WITHDRAWN, one.id), default=None)


def joined(own: Said | None, merged: Sequence[tuple[Said, datetime | None]]) -> Said | None:
    """The last word of a patient whose record took in others, each with its last word and when it was merged.

    What was said after a merge was said knowing both. Before it, a withdrawal on any of the
    records beats a grant on another, however much newer.
    """
    open_still = [said for said, at in merged if own is None or at is None or own.at <= at]
    words = [*([own] if own is not None else []), *open_still]
    return newest([said for said in words if said.decision is Decision.WITHDRAWN]) or newest(words)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfidentialRequest:
    """A patient's request to be reached this way only: on `channel`, and at `contact_point_id` where one is named."""

    id: int
    patient_id: int
    channel: Channel
    contact_point_id: int | None
    from_at: datetime
    until_at: datetime | None

    def allows(self, channel: Channel, contact_point_id: int | None) -> bool:
        """Whether a message may take this way."""
        return channel is self.channel and self.contact_point_id in (None, contact_point_id)


@dataclass(frozen=True, kw_only=True)
class ConsentEntry:
    """One entry of the ledger, opened. `evidence` is what it rests on, in words."""

    id: int
    patient_id: int | None
    contact_point_id: int | None
    channel: Channel
    about: About
    decision: Decision
    said_by: SaidBy
    proxy_id: int | None
    how: How
    wording_version: str | None
    message_id: int | None
    evidence: Shown | None
    recorded_by: int
    at: datetime
