"""What the contact gate judges, and all that it knows about it. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from crm_core.channels.consent.model import NOTHING_SAID, ConfidentialRequest, Standing
from crm_core.channels.contact_section import ContactSection
from crm_core.channels.model import Reason
from crm_core.words import Channel, Purpose
from crm_core.work.units import ReadUnit


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A message that wants to go.

    `message_id` is its own once it is written and about to leave. `automatic`: no person writes
    it. `answers`: the patient's own text asks for it now (opt-out notice, HELP, confirmation,
    which-one, red-flag text), whatever the hour. After `send_by` it is stale and does not go.
    """

    channel: Channel
    contact_point_id: int | None
    patient_id: int | None
    text: str = field(repr=False)
    first_name: str | None = field(repr=False)
    subject: str | None = field(default=None, repr=False)
    message_id: int | None = None
    purpose: Purpose = Purpose.ANSWER
    automatic: bool = False
    answers: bool = False
    send_by: datetime | None = None
    template_version_id: int | None = None

    @property
    def to_the_number_itself(self) -> bool:
        """Whether it answers what a number texted, whoever that is: nothing about a patient is in it."""
        return self.answers and self.patient_id is None

    @property
    def unasked(self) -> bool:
        """Whether neither a person wrote it nor the patient asked for it: what hours, cap and waiting are for."""
        return self.automatic and not self.answers


@dataclass(frozen=True, kw_only=True, slots=True)
class Carrier:
    """How a channel's messages leave. `until` is the last day of the vendor's agreement, None where none is in date."""

    name: str
    real: bool
    vendor: str | None
    until: date | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """The number or address that a message would go to."""

    invalid: bool = False
    opted_out: bool = False
    held: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """The patient whom a message is for, as the records are merged now; `id` is that of the record that stands."""

    id: int
    deceased: bool
    active: bool


Turn = tuple[datetime, int]
"""When a queued message is due, and its row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """One unasked message to a patient: when it went, or is to go.

    `queued` has not been taken for sending yet; of two such the one with the lesser `turn` goes
    first. `key` is the message's id, or any other number that no message has.
    """

    key: int
    at: datetime
    queued: bool
    turn: Turn


@dataclass(frozen=True, kw_only=True, slots=True)
class FromTemplate:
    """Whether a template's version may be sent today."""

    approved: bool
    past_review: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """All that the gate knows about one candidate.

    `by_proxy`: the number is not the patient's, but somebody's who may receive for them.
    `shared_by` counts the patients who use the number, `namesake` says that two of them have the
    candidate's first name. `zone` is where the patient is, the clinic's where nobody knows.
    `contacts` are the unasked messages to the patient of the last days, without the candidate's
    own, whose turn is `turn`: None before it is written. `texted_at` is when the patient last
    wrote. `template` is None for a text of no template, `carrier` where the channel has no gateway.
    """

    rules: ContactSection
    carrier: Carrier | None
    zone: ZoneInfo
    point: Point | None = None
    person: Person | None = None
    on_record: bool = False
    by_proxy: bool = False
    shared_by: int = 0
    namesake: bool = False
    confidential: ConfidentialRequest | None = None
    standing: Standing = NOTHING_SAID
    plain_content: bool = False
    template: FromTemplate | None = None
    preferred: tuple[Channel, ...] = ()
    contacts: Sequence[Contact] = ()
    turn: Turn | None = None
    texted_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A candidate that has passed so far, as a higher room's check is asked about it."""

    candidate: Candidate
    known: Known


class GateCheck(Protocol):
    """A reason not to contact that a higher room knows, for many at once; None where it has nothing to say."""

    def __call__(self, unit: ReadUnit, asked: Sequence[Asked], /) -> Sequence[Reason | None]: ...
