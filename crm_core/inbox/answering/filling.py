"""Templates for one conversation: which are on offer, and what they say to this patient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.gate import Gate
from crm_core.channels.tables import Message
from crm_core.inbox.answering.recipients import recipient
from crm_core.inbox.record import Current, current
from crm_core.library.merge import MergeField
from crm_core.library.model import TemplateView
from crm_core.library.picker import best_variant, rank
from crm_core.library.queries import approved, show
from crm_core.library.render import preview, render
from crm_core.library.tables import Template, TemplateVersion
from crm_core.patients.briefs import full_name
from crm_core.patients.tables import Patient
from crm_core.work.units import ReadUnit

RECENT = 30
"""My last messages that are looked at for the templates I use lately."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A template's text for one patient, ready to send; `then` says what else the sending does."""

    text: str
    version_id: int
    then: str | None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A template as the picker shows it: with this patient's fields, and what is missing of them."""

    key: str
    version_id: int
    title: str
    language: str
    needs_personal: bool
    preview: str
    missing: tuple[str, ...]
    recent: bool
    fits: bool
    then: str | None


@needs(Permission.TEMPLATE_READ)
def filled(unit: ReadUnit, gate: Gate, conversation_id: int, key: str, *, personal: str | None = None) -> Filled:
    """The approved text of template `key` in the patient's language, filled; refuses as `render` does."""
    conversation = current(unit, conversation_id, lock=False)
    channel = recipient(unit, gate, conversation).channel
    fields = merge_fields(unit, conversation)
    version = best_variant(show(unit, key), _language(unit, conversation))
    text = render(version, fields, personal, channel=channel, today=_today(unit, conversation))
    return Filled(text=text, version_id=version.id, then=_then(version))


@needs(Permission.TEMPLATE_READ)
def offers(unit: ReadUnit, gate: Gate, conversation_id: int, query: str = "") -> list[Offer]:
    """What may be sent in this conversation, best first: recent and fitting ones, or what the query is like."""
    conversation = current(unit, conversation_id, lock=False)
    channel = recipient(unit, gate, conversation).channel
    on_offer = approved(unit, channel=channel, language=_language(unit, conversation), today=_today(unit, conversation))
    fields = merge_fields(unit, conversation)
    recent = recent_keys(unit)
    picks = rank(on_offer, query, category=conversation.row["category"], recent=recent)
    made = []
    for pick in picks:
        shown = preview(pick.template, fields)
        made.append(
            Offer(
                key=pick.template.key,
                version_id=pick.template.id,
                title=pick.template.title,
                language=pick.template.language,
                needs_personal=pick.template.needs_personal,
                preview=shown.text,
                missing=tuple(field for field in shown.missing if field != MergeField.PERSONAL),
                recent=pick.recent,
                fits=pick.fits,
                then=_then(pick.template),
            )
        )
    return made


@needs(Permission.CONVERSATION_READ)
def recent_keys(unit: ReadUnit) -> list[str]:
    """The keys of the templates I used last, latest first."""
    keys = unit.scalars(
        select(Template.key)
        .join(TemplateVersion, TemplateVersion.template_id == Template.id)
        .join(Message, Message.template_version_id == TemplateVersion.id)
        .where(Message.author_id == unit.actor.staff_id)
        .order_by(Message.id.desc())
        .limit(RECENT)
    )
    return list(dict.fromkeys(keys))


def merge_fields(unit: ReadUnit, conversation: Current) -> dict[str, str | None]:
    """The values a template may ask for in this conversation; None for what is not known."""
    clinic = conversation.rules.clinic
    fields: dict[str, str | None] = {
        MergeField.CLINIC_NAME: clinic.name,
        MergeField.CLINIC_PHONE: clinic.phone,
        MergeField.STAFF_FIRST_NAME: unit.actor.name.split()[0] if unit.actor.name.split() else None,
        MergeField.LANE_TITLE: conversation.rules.lane(conversation.lane).title,
        MergeField.TODAY: f"{unit.now.astimezone(clinic.zone):%A, %B} {unit.now.astimezone(clinic.zone).day}",
        MergeField.PATIENT_FIRST_NAME: None,
        MergeField.PATIENT_FULL_NAME: None,
    }
    if conversation.row["patient_id"] is not None:
        row = unit.execute(
            select(Patient.family, Patient.given).where(Patient.id == conversation.row["patient_id"])
        ).one()
        given, family = unit.open(row.given), unit.open(row.family)
        fields[MergeField.PATIENT_FIRST_NAME] = given.split()[0] if given and given.split() else None
        fields[MergeField.PATIENT_FULL_NAME] = full_name(family, given) if given or family else None
    return fields


def _then(version: TemplateView) -> str | None:
    return str(version.then) if version.then is not None else None


def _language(unit: ReadUnit, conversation: Current) -> str:
    """The patient's language as templates name it: `es-MX` is `es`; the clinic's own where it is not known."""
    language = None
    if conversation.row["patient_id"] is not None:
        language = unit.scalar(select(Patient.language).where(Patient.id == conversation.row["patient_id"]))
    return (language or conversation.rules.clinic.language).split("-")[0].casefold()


def _today(unit: ReadUnit, conversation: Current) -> date:
    return unit.now.astimezone(conversation.rules.clinic.zone).date()
