"""What the store knows of many candidates: a fixed number of statements, however many are asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table, func, or_, select
from sqlalchemy.orm import aliased

from crm_core.channels.consent.book import ConsentBook, confidential_requests, consent_book, preferences
from crm_core.channels.consent.model import NOTHING_SAID, ConfidentialRequest
from crm_core.channels.contact_section import ContactSection
from crm_core.channels.gate.model import Candidate, Carrier, Contact, FromTemplate, Known, Person, Point, Turn
from crm_core.channels.gateways.base import Gateway
from crm_core.channels.model import FOUND_SENT, Delivery, Direction, MessageKind
from crm_core.channels.tables import UNASKED, Message, Outbox
from crm_core.channels.vendors import agreements_until
from crm_core.hours.calendar import zone_of
from crm_core.hours.errors import UnknownZone
from crm_core.library.model import TemplateState
from crm_core.library.tables import TemplateVersion
from crm_core.patients.proxies import receivers
from crm_core.patients.tables import LINK, PATIENT, POINT, ROOT, Patient, has_died
from crm_core.playbook.clinic import ClinicSection
from crm_core.playbook.service import in_force
from crm_core.words import Channel
from crm_core.work.units import ReadUnit

_OUTBOX, _MESSAGE = cast("Table", Outbox.__table__), cast("Table", Message.__table__)
_VERSION = cast("Table", TemplateVersion.__table__)
_COUNTED = (Delivery.QUEUED, Delivery.SENDING, Delivery.SENT, Delivery.UNKNOWN)
_LOOK_BACK = timedelta(days=8)
"""Seven days, and the lease by which a row's time may lie behind the moment it went."""
_FIRST: Turn = (datetime.min.replace(tzinfo=UTC), 0)
"""The turn of what has been taken for sending: before all that is queued."""


@dataclass(kw_only=True, slots=True)
class Facts:
    """What was loaded for a batch. `contacts` by patient grows as the batch is judged, in its order."""

    rules: ContactSection
    clinic_zone: ZoneInfo
    carriers: Mapping[Channel, Carrier]
    points: Mapping[int, Point] = field(default_factory=dict)
    sharers: Mapping[int, frozenset[int]] = field(default_factory=dict)
    persons: Mapping[int, Person] = field(default_factory=dict)
    zones: Mapping[int, ZoneInfo] = field(default_factory=dict)
    first_names: Mapping[int, str] = field(default_factory=dict)
    confidential: Mapping[int, ConfidentialRequest] = field(default_factory=dict)
    book: ConsentBook = field(default_factory=ConsentBook)
    templates: Mapping[int, FromTemplate] = field(default_factory=dict)
    preferred: Mapping[int, tuple[Channel, ...]] = field(default_factory=dict)
    texted_at: Mapping[int, datetime] = field(default_factory=dict)
    turns: Mapping[int, Turn] = field(default_factory=dict)
    contacts: dict[int, dict[int, Contact]] = field(default_factory=dict)
    receivers: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def known(self, candidate: Candidate) -> Known:
        """All that is known of one of the batch, as the batch has been judged so far."""
        point_id = candidate.contact_point_id
        person = self.persons.get(candidate.patient_id) if candidate.patient_id is not None else None
        root = person.id if person is not None else 0
        sharers = self.sharers.get(point_id, frozenset()) if point_id is not None else frozenset()
        own = candidate.message_id
        by_proxy = bool(root) and root not in sharers and point_id in self.receivers.get(root, ())
        return Known(
            rules=self.rules,
            carrier=self.carriers.get(candidate.channel),
            zone=self.zones.get(root, self.clinic_zone),
            point=self.points.get(point_id) if point_id is not None else None,
            person=person,
            on_record=root in sharers,
            by_proxy=by_proxy,
            # Whoever else has the proxy's number reads it too: the text must say whom it is about.
            shared_by=len(sharers | {root}) if by_proxy else len(sharers),
            namesake=self._has_a_namesake(candidate, root, sharers),
            confidential=self.confidential.get(root),
            standing=self.book.standing(root, point_id, candidate.channel, candidate.purpose) if root else NOTHING_SAID,
            plain_content=bool(root) and self.book.plain_content(root, candidate.channel),
            template=self.templates.get(candidate.template_version_id or 0),
            preferred=self.preferred.get(root, ()),
            contacts=[each for key, each in self.contacts.get(root, {}).items() if key != own],
            turn=self.turns.get(own) if own is not None else None,
            texted_at=self.texted_at.get(root),
        )

    def remember(self, candidate: Candidate, person: Person, at: datetime | None, *, goes: bool) -> None:
        """What was decided of one counts for the next of that patient: it goes at `at`, waits until then, or never."""
        of_patient = self.contacts.setdefault(person.id, {})
        key = candidate.message_id if candidate.message_id is not None else -1 - len(of_patient)
        of_patient.pop(key, None)
        if at is not None:
            row = self.turns.get(key, (at, 0))[1]
            of_patient[key] = Contact(key=key, at=at, queued=not goes, turn=(at, row))

    def _has_a_namesake(self, candidate: Candidate, root: int, sharers: frozenset[int]) -> bool:
        """Whether a first name does not say which of those who share the number is meant."""
        if candidate.first_name is None or len(sharers) < 2:  # noqa: PLR2004 - one person is not sharing
            return False
        name = candidate.first_name.casefold()
        return any(self.first_names.get(other) == name for other in sharers if other != root)


def facts_of(unit: ReadUnit, gateways: Mapping[Channel, Gateway], candidates: Sequence[Candidate]) -> Facts:
    """Everything that the gate may ask about these; what only automatic messages need, only where some are."""
    playbook = in_force(unit)
    point_ids = sorted({each.contact_point_id for each in candidates if each.contact_point_id is not None})
    points, sharers = _points(unit, point_ids)
    persons, zones = _persons(unit, sorted({each.patient_id for each in candidates if each.patient_id is not None}))
    roots = sorted({person.id for person in persons.values()})
    facts = Facts(
        rules=playbook.section(ContactSection),
        clinic_zone=playbook.section(ClinicSection).zone,
        carriers=_carriers(unit, gateways),
        points=points,
        sharers=sharers,
        persons=persons,
        zones=zones,
        first_names=_first_names(unit, sharers),
        confidential=confidential_requests(unit, roots) if roots else {},
        book=consent_book(unit, roots, point_ids) if roots else ConsentBook(),
        templates=_templates(unit, candidates, playbook.section(ClinicSection).zone),
    )
    others = {
        persons[each.patient_id].id
        for each in candidates
        if each.patient_id in persons
        and persons[each.patient_id].id not in sharers.get(each.contact_point_id or 0, frozenset())
    }
    if others:
        facts.receivers = receivers(unit, sorted(others))
    counted = sorted(
        {persons[each.patient_id].id for each in candidates if each.unasked and each.patient_id in persons}
    )
    if counted:
        facts.preferred = preferences(unit, counted)
        facts.texted_at = _texted_at(unit, counted, facts.rules)
        facts.contacts, facts.turns = _contacts(unit, counted)
    return facts


def _carriers(unit: ReadUnit, gateways: Mapping[Channel, Gateway]) -> dict[Channel, Carrier]:
    until = agreements_until(unit, sorted({each.vendor for each in gateways.values() if each.real and each.vendor}))
    return {
        channel: Carrier(
            name=gateway.name,
            real=gateway.real,
            vendor=gateway.vendor,
            until=until.get((gateway.vendor or "", channel.value)),
        )
        for channel, gateway in gateways.items()
    }


def _points(unit: ReadUnit, ids: Sequence[int]) -> tuple[dict[int, Point], dict[int, frozenset[int]]]:
    """The numbers, and the patients who use each; records merged into one patient are one."""
    if not ids:
        return {}, {}
    rows = unit.execute(
        select(POINT.c.id, POINT.c.invalid_at, POINT.c.opted_out_at, POINT.c.held_at, ROOT.label("root"))
        .outerjoin_from(POINT, LINK, LINK.c.contact_point_id == POINT.c.id)
        .outerjoin(PATIENT, PATIENT.c.id == LINK.c.patient_id)
        .where(unit.among(POINT.c.id, ids))
    )
    points: dict[int, Point] = {}
    users: dict[int, set[int]] = {}
    for row in rows:
        points[row.id] = Point(
            invalid=row.invalid_at is not None, opted_out=row.opted_out_at is not None, held=row.held_at is not None
        )
        users.setdefault(row.id, set()).update({row.root} - {None})
    return points, {point_id: frozenset(roots) for point_id, roots in users.items()}


def _persons(unit: ReadUnit, ids: Sequence[int]) -> tuple[dict[int, Person], dict[int, ZoneInfo]]:
    """Who each record is about now, by the record's id; and the zones that are known, by who it is."""
    if not ids:
        return {}, {}
    root = aliased(Patient)
    rows = unit.execute(
        select(PATIENT.c.id, root.id.label("root"), has_died(root).label("deceased"), root.active, root.time_zone)
        .join_from(PATIENT, root, root.id == ROOT)
        .where(unit.among(PATIENT.c.id, ids))
    )
    persons: dict[int, Person] = {}
    zones: dict[int, ZoneInfo] = {}
    for row in rows:
        persons[row.id] = Person(id=row.root, deceased=row.deceased, active=row.active)
        if row.time_zone and (zone := _zone(row.time_zone)) is not None:
            zones[row.root] = zone
    return persons, zones


def _zone(name: str) -> ZoneInfo | None:
    """None for a name that an import brought and no clock knows."""
    try:
        return zone_of(name)
    except UnknownZone:
        return None


def _first_names(unit: ReadUnit, sharers: Mapping[int, frozenset[int]]) -> dict[int, str]:
    """The folded first names of those who share a number with somebody."""
    several = sorted({root for roots in sharers.values() if len(roots) > 1 for root in roots})
    if not several:
        return {}
    with unit.listing("gate", "shared"):
        given = {
            row.id: unit.open(row.given)
            for row in unit.execute(select(Patient.id, Patient.given).where(Patient.id.in_(several)))
        }
    return {root: name.split()[0].casefold() for root, name in given.items() if name and name.split()}


def _templates(unit: ReadUnit, candidates: Sequence[Candidate], zone: ZoneInfo) -> dict[int, FromTemplate]:
    ids = sorted({each.template_version_id for each in candidates if each.template_version_id is not None})
    if not ids:
        return {}
    today = unit.now.astimezone(zone).date()
    rows = unit.execute(select(_VERSION.c.id, _VERSION.c.state, _VERSION.c.review_due).where(_VERSION.c.id.in_(ids)))
    return {
        row.id: FromTemplate(
            approved=row.state is TemplateState.APPROVED,
            past_review=row.review_due is not None and today > row.review_due,
        )
        for row in rows
    }


def _family(unit: ReadUnit, roots: Sequence[int]) -> Any:
    """The records of these patients, merged ones among them."""
    return select(PATIENT.c.id).where(or_(unit.among(PATIENT.c.id, roots), unit.among(PATIENT.c.merged_into_id, roots)))


def _texted_at(unit: ReadUnit, roots: Sequence[int], rules: ContactSection) -> dict[int, datetime]:
    """When these patients last wrote from a number or address of theirs, where that was a moment ago."""
    since = unit.now - timedelta(minutes=rules.wait.minutes_after_a_text)
    rows = unit.execute(
        select(ROOT.label("root"), func.max(_MESSAGE.c.at).label("at"))
        .join_from(PATIENT, LINK, LINK.c.patient_id == PATIENT.c.id)
        .join(_MESSAGE, _MESSAGE.c.contact_point_id == LINK.c.contact_point_id)
        .where(
            PATIENT.c.id.in_(_family(unit, roots)),
            _MESSAGE.c.direction == Direction.IN,
            _MESSAGE.c.kind == MessageKind.TEXT,
            _MESSAGE.c.at > since,
        )
        .group_by(ROOT)
    )
    return {row.root: row.at for row in rows}


def _went_at(row: Any) -> datetime:
    """When what was taken for sending went, or the latest that it may have: what is going still is taken as of now."""
    by_hand = row.failure == FOUND_SENT and row.begun_at is not None
    went: datetime = row.begun_at if by_hand else row.settled_at or row.due_at
    return went


def _contacts(unit: ReadUnit, roots: Sequence[int]) -> tuple[dict[int, dict[int, Contact]], dict[int, Turn]]:
    """What no person wrote and no patient asked for: when it went or is to go; and the turn of each that is queued."""
    rows = unit.execute(
        select(
            _OUTBOX.c.id, _OUTBOX.c.message_id, _OUTBOX.c.state, _OUTBOX.c.due_at, _OUTBOX.c.begun_at,
            _OUTBOX.c.settled_at, _OUTBOX.c.failure, ROOT.label("root"),
        )
        .join(PATIENT, PATIENT.c.id == _OUTBOX.c.patient_id)
        .where(
            _OUTBOX.c.patient_id.in_(_family(unit, roots)),
            UNASKED,
            _OUTBOX.c.due_at > unit.now - _LOOK_BACK,
            _OUTBOX.c.state.in_(_COUNTED),
        )
    )  # fmt: skip
    contacts: dict[int, dict[int, Contact]] = {}
    turns: dict[int, Turn] = {}
    for row in rows:
        queued = row.state is Delivery.QUEUED
        at = row.due_at if queued else min(_went_at(row), unit.now)
        turns[row.message_id] = turn = (row.due_at, row.id) if queued else _FIRST
        contacts.setdefault(row.root, {})[row.message_id] = Contact(key=row.message_id, at=at, queued=queued, turn=turn)
    return contacts, turns
