"""`crm notice`: what the house is to send by itself, later, to one patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.errors import UsageError
from crm_core.words import Purpose
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, patient_id, read_id, show_id

if TYPE_CHECKING:
    from crm_core.channels.notices.model import NoticeLine, NoticeView

app = group("What the house sends by itself, later, to one patient.")

Notice = Annotated[str, typer.Argument(metavar="N-…", help="The notice's id.")]
Patient = Annotated[str, typer.Argument(metavar="P-…", help="The patient it is for.")]
_TIME = "2026-11-24T09:00, or a span from now: 2h, 3d."


@command(app, "add", example="crm notice add P-12 --template visit_confirm --at 2h --about 2d --ask confirmation")
def add(
    ctx: typer.Context,
    *,
    patient: Patient,
    template: Annotated[str, typer.Option("--template", metavar="KEY", help="Which of the library's it says.")],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help=f"When it goes: {_TIME}")],
    send_by: Annotated[
        str | None, typer.Option("--send-by", metavar="TIME", help="After which it would be stale and does not go.")
    ] = None,
    ask: Annotated[
        str, typer.Option("--ask", metavar="WHAT", help="What it asks: nothing, or confirmation.")
    ] = "nothing",
    about: Annotated[
        str | None,
        typer.Option("--about", metavar="TIME", help="When that takes place which it is about, such as a visit."),
    ] = None,
    purpose: Annotated[
        Purpose, typer.Option("--purpose", help="Why it is sent, as consent is asked.")
    ] = Purpose.NOTICE,
    field: Annotated[
        list[str] | None, typer.Option("--field", metavar="KEY=TEXT", help="A merge field; may be repeated.")
    ] = None,
) -> None:
    """Plan a notice; a poller sends it at its time, if the gate lets it."""
    from crm_core.channels.notices.model import About, Asks, NewNotice
    from crm_core.channels.notices.service import plan_by_hand
    from crm_tui.cli.times import moment

    if ask not in list(Asks):
        raise UsageError(problem=f"A notice cannot ask {ask!r}", remedy=f"it asks {' or '.join(Asks)}")
    session = Session.of(ctx)
    now = session.clock.now()
    takes_place = moment(about, now) if about is not None else None
    new = NewNotice(
        patient_id=patient_id(patient),
        occasion="",
        step="",
        source="",
        purpose=purpose,
        template_key=template,
        due_at=moment(at, now),
        send_by=moment(send_by, now) if send_by is not None else None,
        asks=Asks(ask),
        about=About(code="", at=takes_place),
        fields=dict(_pair(one) for one in field or ()),
    )
    with session.writing() as unit:
        number = plan_by_hand(unit, new)
    _show(session, number)


@command(app, "list", example="crm notice list P-12")
def list_notices(
    ctx: typer.Context,
    patient: Annotated[
        str | None, typer.Argument(metavar="[P-…]", help="Only this patient's; everybody's without it.")
    ] = None,
    planned: Annotated[bool, typer.Option("--planned", help="Only what is still to go.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many notices.")] = 50,
) -> None:
    """What is planned, the next one first, then what became of the rest."""
    from crm_core.channels.notices.queries import notices

    session = Session.of(ctx)
    whose = patient_id(patient) if patient is not None else None
    with session.reading() as unit:
        found = notices(unit, patient_id=whose, planned=planned, limit=limit)
    people = [
        {
            "notice": show_id(Kind.NOTICE, one.notice_id),
            "due_at": one.due_at,
            "patient": one.patient_name,
            "template": one.template_key,
            "fate": one.fate,
            "answer": one.answer,
            "because": one.because,
        }
        for one in found
    ]
    session.show([_line(one) for one in found], people=people, empty="No notice is planned.")


@command(app, "show", example="crm notice show N-3")
def show(ctx: typer.Context, notice: Notice) -> None:
    """One notice, with the reasons why it did or did not go."""
    _show(Session.of(ctx), read_id(notice, Kind.NOTICE)[1])


@command(app, "cancel", example='crm notice cancel N-3 --why "She has moved the visit."')
def cancel(
    ctx: typer.Context,
    notice: Notice,
    why: Annotated[str, typer.Option("--why", help="Why it need not go; a few words, and no patient.")],
) -> None:
    """Take a notice back; where it went already, a reply no longer confirms what it asked."""
    from crm_core.channels.notices.service import cancel_notice

    number = read_id(notice, Kind.NOTICE)[1]
    session = Session.of(ctx)
    with session.writing() as unit:
        cancel_notice(unit, number, why)
    _show(session, number)


def _show(session: Session, number: int) -> None:
    from crm_core.channels.notices.queries import notice

    with session.reading() as unit:
        view = notice(unit, number)
    session.show(_document(view))


def _line(one: NoticeLine) -> dict[str, Any]:
    return {
        "notice": show_id(Kind.NOTICE, one.notice_id),
        "patient": show_id(Kind.PATIENT, one.patient_id),
        "due_at": one.due_at,
        "send_by": one.send_by,
        "template": one.template_key,
        "purpose": one.purpose,
        "asks": one.asks,
        "occasion": one.occasion,
        "step": one.step,
        "state": one.state,
        "fate": one.fate,
        "because": one.because,
        "channel": one.channel,
        "next_at": one.next_at,
        "answer": one.answer,
    }


def _document(view: NoticeView) -> dict[str, Any]:
    return {
        **_line(view),
        "about_at": view.about_at,
        "fields": dict(view.fields),
        "source": view.source,
        "planned_by": view.planned_by,
        "planned_at": view.planned_at,
        "settled_at": view.settled_at,
        "task": show_id(Kind.TASK, view.task_id),
        "replied": view.replied,
        "replied_at": view.replied_at,
        "why": list(view.why),
    }


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(problem="--field takes KEY=TEXT", remedy='write it like --field personal="Bring your card."')
    return key.strip(), value
