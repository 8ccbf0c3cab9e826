"""`crm show`: one record, by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, read_id, show_id

if TYPE_CHECKING:
    from crm_core.inbox.complaints import ComplaintView
    from crm_core.patients.model import ContactView, PatientView

app = group("Show a record.")


@command(app, "show", example="crm show C-1042")
def show(
    ctx: typer.Context,
    record: Annotated[str, typer.Argument(metavar="ID", help="P-12 a patient, C-1042 a conversation, T-7 a task.")],
) -> None:
    """A patient, a conversation or a task."""
    kind, number = read_id(record, Kind.PATIENT, Kind.CONVERSATION, Kind.TASK)
    session = Session.of(ctx)
    if kind is Kind.PATIENT:
        _show_patient(session, number)
        return
    if kind is Kind.TASK:
        from crm_tui.cli.task import show_task

        show_task(session, number)
        return
    from crm_core.inbox import complaints, thread
    from crm_tui.cli.conversation import document, named

    number = named(session, record)
    with session.reading() as unit:
        view = thread.conversation(unit, number)
        why = thread.why_here(unit, number)
        ended = complaints.complaint_of(unit, number)
    complaint = {"complaint": _complaint(ended)} if ended is not None else {}
    session.show({**document(view), **complaint, "why": why})


def _complaint(ended: ComplaintView) -> dict[str, Any]:
    return {
        "category": ended.category,
        "came_on": ended.came_on,
        "answered_on": ended.answered_on,
        "grievance": ended.grievance,
        "outcome": ended.outcome,
        "words": ended.words,
    }


def _show_patient(session: Session, patient_id: int) -> None:
    from crm_core.inbox import queries as inbox
    from crm_core.patients import queries as patients

    with session.reading() as unit:
        view = patients.patient(unit, patient_id)
        conversations = inbox.of_patient(unit, view.patient_id)
    document = _patient(view)
    document["conversations"] = [
        {"conversation": show_id(Kind.CONVERSATION, number), "lane": lane, "state": state, "last_message_at": at}
        for number, lane, state, at, _ in conversations
    ]
    session.show(document)


def _patient(view: PatientView) -> dict[str, Any]:
    return {
        "patient": show_id(Kind.PATIENT, view.patient_id),
        "name": view.name,
        "family": view.family,
        "given": view.given,
        "birth_date": view.birth_date,
        "age": view.age,
        "language": view.language,
        "time_zone": view.time_zone,
        "address": view.address,
        "deceased": view.deceased,
        "deceased_at": view.deceased_at,
        "active": view.active,
        "updated_at": view.updated_at,
        "merged_from": [show_id(Kind.PATIENT, old) for old in view.merged_from],
        "identifiers": [
            {"system": identifier.system, "kind": identifier.kind, "value": identifier.value}
            for identifier in view.identifiers
        ],
        "contacts": [_contact(contact) for contact in view.contacts],
    }


def _contact(contact: ContactView) -> dict[str, Any]:
    return {
        "kind": contact.kind,
        "value": contact.value,
        "use": contact.use,
        "rank": contact.rank,
        "shared_by": contact.shared_by,
        "opted_out": contact.opted_out,
        "invalid": contact.invalid_reason,
    }
