"""The ledger of one patient, and what stands of it, as a person is shown it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.consent.book import confidential_requests, consent_book
from crm_core.channels.consent.model import About, ConfidentialRequest, Consented, ConsentEntry
from crm_core.channels.consent.tables import Confidential, Consent
from crm_core.channels.consent.wording_section import ConsentSection
from crm_core.patients.contacts import last_four
from crm_core.patients.preferences import preferences, preferred_points
from crm_core.patients.roots import present, records_of
from crm_core.patients.tables import LINK, ContactPoint
from crm_core.playbook.service import in_force
from crm_core.vault.sealed import Shown
from crm_core.words import Channel, Purpose
from crm_core.work.units import ReadUnit


@dataclass(frozen=True, kw_only=True)
class StandingLine:
    """What stands for one channel and subject; only where somebody said something."""

    channel: Channel
    about: About
    state: Consented
    at: datetime | None
    entry_id: int | None


@dataclass(frozen=True, kw_only=True)
class NumberLine:
    """A number or address of the patient, as far as it may be used."""

    contact_point_id: int
    kind: str
    ends: str | None
    opted_out_at: datetime | None
    held_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ConfidentialView:
    """A request in force, in the patient's words."""

    id: int
    channel: Channel
    contact_point_id: int | None
    ends: str | None
    from_at: datetime
    until_at: datetime | None
    words: Shown | None


@dataclass(frozen=True, kw_only=True)
class ConsentCard:
    """All of one patient: what stands, their numbers, their own order, what binds every sender, and every entry.

    `preferred` are channels, `preferred_points` contact points, the first choice first.
    """

    patient_id: int
    standing: tuple[StandingLine, ...]
    numbers: tuple[NumberLine, ...]
    preferred: tuple[Channel, ...]
    preferred_points: tuple[int, ...]
    confidential: ConfidentialView | None
    entries: tuple[ConsentEntry, ...]


@needs(Permission.CONSENT_READ)
def card(unit: ReadUnit, patient_id: int) -> ConsentCard:
    """What a patient agreed to and asked for; each entry opened is audited. NotFound."""
    root = present(unit, patient_id)
    numbers = _numbers(unit, root)
    entries = _entries(unit, root, [line.contact_point_id for line in numbers])
    return ConsentCard(
        patient_id=root,
        standing=_standing(unit, root, numbers, entries),
        numbers=numbers,
        preferred=preferences(unit, [root]).get(root, ()),
        preferred_points=preferred_points(unit, [root]).get(root, ()),
        confidential=_confidential(unit, root, numbers),
        entries=entries,
    )


@needs(Permission.CONSENT_READ)
def only_way(unit: ReadUnit, patient_id: int) -> ConfidentialRequest | None:
    """The one way in which this patient is to be reached now, where there is one; the words are not opened."""
    root = present(unit, patient_id)
    return confidential_requests(unit, [root]).get(root)


@needs(Permission.CONSENT_READ)
def wording(unit: ReadUnit, about: About, language: str | None = None) -> tuple[str | None, str | None, bool]:
    """Version and text of what is shown before somebody agrees to it, and whether it is a draft yet."""
    section = in_force(unit).section(ConsentSection)
    return section.version, section.text(about, language), section.draft


def _entries(unit: ReadUnit, root: int, points: list[int]) -> tuple[ConsentEntry, ...]:
    rows = unit.execute(
        select(
            Consent.id, Consent.patient_id, Consent.contact_point_id, Consent.channel, Consent.about, Consent.decision,
            Consent.said_by, Consent.proxy_id, Consent.how, Consent.wording_version, Consent.message_id,
            Consent.evidence, Consent.recorded_by, Consent.at,
        )
        .where(or_(Consent.patient_id.in_(records_of(root)), Consent.contact_point_id.in_(points)))
        .order_by(Consent.at.desc(), Consent.id.desc())
    )  # fmt: skip
    return tuple(
        ConsentEntry(**{**row._mapping, "evidence": unit.open(row.evidence)})  # noqa: SLF001 - Row's public API
        for row in rows
    )


def _standing(
    unit: ReadUnit, root: int, numbers: tuple[NumberLine, ...], entries: tuple[ConsentEntry, ...]
) -> tuple[StandingLine, ...]:
    """For each channel and subject about which something was said, what holds of it now, numbers apart."""
    book = consent_book(unit, [root], [line.contact_point_id for line in numbers])
    lines = []
    for channel, about in sorted({(entry.channel, entry.about) for entry in entries if entry.patient_id is not None}):
        if about in (About.PLAIN_CONTENT, About.EVERYTHING):
            said = book.last_word(root, channel, about)
        else:
            said = book.standing(root, None, channel, Purpose(about.value))
        lines.append(StandingLine(channel=channel, about=about, state=said.state, at=said.at, entry_id=said.entry_id))
    return tuple(lines)


def _numbers(unit: ReadUnit, root: int) -> tuple[NumberLine, ...]:
    rows = unit.execute(
        select(ContactPoint.id, ContactPoint.kind, ContactPoint.value, ContactPoint.opted_out_at, ContactPoint.held_at)
        .join(LINK, LINK.c.contact_point_id == ContactPoint.id)
        .where(LINK.c.patient_id.in_(records_of(root)))
        .order_by(LINK.c.rank, ContactPoint.id)
    )
    lines = {
        row.id: NumberLine(
            contact_point_id=row.id,
            kind=row.kind,
            ends=last_four(row.kind, unit.open(row.value)) if unit.actor.may(Permission.PATIENT_READ) else None,
            opted_out_at=row.opted_out_at,
            held_at=row.held_at,
        )
        for row in rows
    }
    return tuple(lines.values())


def _confidential(unit: ReadUnit, root: int, numbers: tuple[NumberLine, ...]) -> ConfidentialView | None:
    request = confidential_requests(unit, [root]).get(root)
    if request is None:
        return None
    words = unit.scalar(select(Confidential.words).where(Confidential.id == request.id))
    ends = {line.contact_point_id: line.ends for line in numbers}
    return ConfidentialView(
        id=request.id,
        channel=request.channel,
        contact_point_id=request.contact_point_id,
        ends=ends.get(request.contact_point_id or 0),
        from_at=request.from_at,
        until_at=request.until_at,
        words=unit.open(words),
    )
