"""Changes to contact points: who uses them, whether they may be used, whether they work."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import NotFound, UsageError
from crm_core.patients.contact_points import ensure_points, users_of
from crm_core.patients.contacts import is_like_a_number
from crm_core.patients.model import ContactKind, ContactMatch, ContactUse, Origin
from crm_core.patients.observers import patient_observers
from crm_core.patients.preparing import birth_tokens, name_tokens, prepare_contact
from crm_core.patients.proxies import spoken_for_by
from crm_core.patients.region import clinic_region
from crm_core.patients.tables import IDENTIFIER, LINK, PATIENT, POINT, Patient
from crm_core.store import search_index
from crm_core.store.feed import Topic
from crm_core.words import Channel
from crm_core.work.units import WriteUnit


@needs(Permission.MESSAGE_RECEIVE)
def ensure_contact_point(unit: WriteUnit, kind: ContactKind, value: str) -> int:
    """The id of this number or address, in whatever spelling; made where it is new."""
    prepared = prepare_contact(unit.vault, kind, value, clinic_region(unit))
    if prepared is None:
        raise UsageError(problem=f"The {kind} is empty", remedy="give a number or an address")
    return ensure_points(unit, [prepared])[prepared.key]


@needs(Permission.MESSAGE_RECEIVE)
def match_sender(unit: WriteUnit, channel: Channel, sender: str) -> ContactMatch:
    """Whose message this is. An unknown number or address is kept, so that it can opt out.

    A number that is no patient's own but a proxy's is that patient's, where there is one alone. A
    sender who is neither (a chat visitor's handle) has no contact point.
    """
    kind = _kind_of(channel, sender)
    if kind is None or (prepared := prepare_contact(unit.vault, kind, sender, clinic_region(unit))) is None:
        return ContactMatch(contact_point_id=None)
    point_id = ensure_points(unit, [prepared])[prepared.key]
    return ContactMatch(contact_point_id=point_id, patient_ids=users_of(unit, point_id) or _by_proxy(unit, point_id))


def _by_proxy(unit: WriteUnit, point_id: int) -> tuple[int, ...]:
    """The one patient for whom somebody at a number that is nobody's own may speak; of several a person chooses."""
    patients = spoken_for_by(unit, point_id)
    return patients if len(patients) == 1 else ()


def _kind_of(channel: Channel, sender: str) -> ContactKind | None:
    if channel in (Channel.SMS, Channel.WHATSAPP, Channel.VOICE):
        return ContactKind.PHONE
    if channel is Channel.EMAIL or "@" in sender.strip()[1:]:
        return ContactKind.EMAIL
    return ContactKind.PHONE if is_like_a_number(sender) else None


@needs(Permission.PATIENT_LINK)
def link_contact(unit: WriteUnit, patient_id: int, contact_point_id: int) -> None:
    """Let a patient use a contact point; linking twice is once. NotFound where either is missing.

    It goes last in the patient's order, and from now counts as changed lately.
    """
    owner = unit.execute(select(PATIENT.c.id, PATIENT.c.merged_into_id).where(PATIENT.c.id == patient_id)).first()
    if owner is None:
        raise NotFound(kind="patient", id=f"P-{patient_id}")
    if unit.scalar(select(POINT.c.id).where(POINT.c.id == contact_point_id)) is None:
        raise NotFound(kind="contact point", id=contact_point_id)
    root = owner.merged_into_id or owner.id
    ranks = {
        row.contact_point_id: row.rank
        for row in unit.execute(select(LINK.c.contact_point_id, LINK.c.rank).where(LINK.c.patient_id == root))
    }
    if contact_point_id in ranks:
        return
    unit.execute(
        insert(LINK).values(
            patient_id=root,
            contact_point_id=contact_point_id,
            use=ContactUse.OTHER,
            rank=max(ranks.values(), default=0) + 1,
            origin=Origin.STAFF,
            since=unit.now,
        )
    )
    _reindex(unit, root)
    unit.audit(Tag.CONTACT_LINKED, root, why=f"contact point {contact_point_id}")
    unit.changed(Topic.PATIENTS)
    with unit.as_the_house():
        for observer in patient_observers(unit):
            observer.number_changed(unit, root, None, contact_point_id)


@needs(Permission.PATIENT_LINK)
def unlink_contact(unit: WriteUnit, patient_id: int, contact_point_id: int) -> bool:
    """Take back a link that staff made; whether there was one. What an import gave stays."""
    gone = unit.execute(
        LINK.delete().where(
            LINK.c.patient_id == patient_id,
            LINK.c.contact_point_id == contact_point_id,
            LINK.c.origin == Origin.STAFF,
        )
    ).rowcount
    if not gone:
        return False
    _reindex(unit, patient_id)
    unit.audit(Tag.CONTACT_UNLINKED, patient_id, why=f"contact point {contact_point_id}")
    unit.changed(Topic.PATIENTS)
    with unit.as_the_house():
        for observer in patient_observers(unit):
            observer.number_changed(unit, patient_id, contact_point_id, None)
    return True


@needs(Permission.MESSAGE_RECEIVE)
def opt_out(unit: WriteUnit, contact_point_id: int, evidence: str = "message") -> bool:
    """The number takes no more messages; whether that is new. `evidence` is a code such as `M-12`.

    The audit says so for the number, and for each patient who shares it.
    """
    return _opt(unit, contact_point_id, evidence, out=True)


@needs(Permission.MESSAGE_RECEIVE)
def opt_in(unit: WriteUnit, contact_point_id: int, evidence: str = "message") -> bool:
    """The number takes messages again; whether that is new."""
    return _opt(unit, contact_point_id, evidence, out=False)


@needs(Permission.MESSAGE_RECEIVE)
def hold_number(unit: WriteUnit, contact_point_id: int, evidence: str) -> bool:
    """Nothing automatic goes to the number until staff decide; whether that is new. `evidence` is a code."""
    held = unit.execute(
        update(POINT)
        .where(POINT.c.id == contact_point_id, POINT.c.held_at.is_(None), POINT.c.opted_out_at.is_(None))
        .values(held_at=unit.now)
    ).rowcount
    if held:
        unit.audit(Tag.NUMBER_HELD, contact_point_id, why=evidence)
        unit.changed(Topic.PATIENTS)
    return bool(held)


@needs(Permission.MESSAGE_RECEIVE)
def release_number(unit: WriteUnit, contact_point_id: int, evidence: str) -> bool:
    """The number itself says that it wants messages; whether it had been held."""
    return _release(unit, contact_point_id, f"goes on by {evidence}")


@needs(Permission.CONSENT_RECORD)
def decide_number(unit: WriteUnit, contact_point_id: int, *, out: bool, evidence: str) -> bool:
    """Staff decided whether the number takes messages; whether it had been held."""
    held = _release(unit, contact_point_id, f"{'no more messages' if out else 'goes on'} by {evidence}")
    if out:
        _opt(unit, contact_point_id, evidence, out=True)
    return held


def _release(unit: WriteUnit, contact_point_id: int, why: str) -> bool:
    held = (POINT.c.id == contact_point_id, POINT.c.held_at.is_not(None))
    if unit.execute(update(POINT).where(*held).values(held_at=None)).rowcount != 1:
        return False
    unit.audit(Tag.NUMBER_DECIDED, contact_point_id, why=why)
    unit.changed(Topic.PATIENTS)
    return True


def _opt(unit: WriteUnit, contact_point_id: int, evidence: str, *, out: bool) -> bool:
    point = unit.execute(select(POINT.c.opted_out_at).where(POINT.c.id == contact_point_id).with_for_update()).first()
    if point is None:
        raise NotFound(kind="contact point", id=contact_point_id)
    if (point.opted_out_at is not None) == out:
        return False
    tag = Tag.NUMBER_OPTED_OUT if out else Tag.NUMBER_OPTED_IN
    values = {"opted_out_at": unit.now, "held_at": None} if out else {"opted_in_at": unit.now, "opted_out_at": None}
    unit.execute(update(POINT).where(POINT.c.id == contact_point_id).values(values))
    unit.audit(tag, contact_point_id, why=evidence)
    for patient_id in users_of(unit, contact_point_id):
        unit.audit(Tag.PATIENT_CHANGED, patient_id, why=f"{tag.value} {contact_point_id} by {evidence}")
    unit.changed(Topic.PATIENTS)
    return True


@needs(Permission.OUTBOX_DELIVER)
def mark_invalid(unit: WriteUnit, contact_point_id: int, reason: str) -> bool:
    """The number does not work, and why, as a code (`hard_bounce`); whether that is new."""
    marked = unit.execute(
        update(POINT)
        .where(POINT.c.id == contact_point_id, POINT.c.invalid_at.is_(None))
        .values(invalid_at=unit.now, invalid_reason=reason)
    ).rowcount
    if marked:
        unit.audit(Tag.NUMBER_INVALID, contact_point_id, why=reason)
        unit.changed(Topic.PATIENTS)
    return bool(marked)


def _reindex(unit: WriteUnit, patient_id: int) -> None:
    """Make the search tokens anew from the record: the index cannot be read back."""
    row = unit.execute(select(Patient.family, Patient.given, Patient.birth_date).where(Patient.id == patient_id)).one()
    tokens = set(name_tokens(unit.vault, unit.open(row.family), unit.open(row.given)))
    tokens |= birth_tokens(unit.vault, unit.open(row.birth_date))
    tokens.update(unit.scalars(select(IDENTIFIER.c.value_token).where(IDENTIFIER.c.patient_id == patient_id)))
    points = unit.execute(
        select(POINT.c.value_token, POINT.c.last_four_token)
        .join(LINK, LINK.c.contact_point_id == POINT.c.id)
        .where(LINK.c.patient_id == patient_id)
    )
    tokens.update(token for point in points for token in point if token is not None)
    search_index.put(unit, [(patient_id, frozenset(tokens))])
