"""`crm proxy`: guardians and carers, who may speak for a patient or receive for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.access.model import Permission
from crm_core.patients.model import Relation
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, patient_id, show_id

if TYPE_CHECKING:
    from crm_core.patients.proxies import ProxyView

app = group("Who may speak for a patient, and receive for them.")

Patient = Annotated[str, typer.Argument(metavar="P-…", help="The patient's id.")]


@command(app, "list", example="crm proxy list P-12")
def list_proxies(
    ctx: typer.Context,
    patient: Patient,
    ended: Annotated[bool, typer.Option("--ended", help="Those that are over, too.")] = False,
) -> None:
    """A patient's proxies; looking is recorded."""
    _show(Session.of(ctx), patient_id(patient), ended=ended)


@command(app, "add", example='crm proxy add P-12 --name "Ida Lopez" --relation parent --contact +12125550199 --speaks')
def add(
    ctx: typer.Context,
    patient: Patient,
    *,
    name: Annotated[str, typer.Option("--name", help="The proxy's name.")],
    relation: Annotated[Relation, typer.Option("--relation", help="What they are to the patient.")],
    contact: Annotated[str | None, typer.Option("--contact", metavar="NUMBER", help="Number or address.")] = None,
    speaks: Annotated[bool, typer.Option("--speaks", help="They may speak for the patient.")] = False,
    receives: Annotated[bool, typer.Option("--receives", help="They may receive what is for the patient.")] = False,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Until when; for good without.")] = None,
    words: Annotated[
        str | None, typer.Option("--words", metavar="TEXT", help="By what: a form, a court order.")
    ] = None,
) -> None:
    """Keep who may speak for a patient or receive for them, from now on."""
    from crm_core.patients import proxies, typed_contacts
    from crm_tui.cli.times import moment

    number, session = patient_id(patient), Session.of(ctx)
    with session.writing() as unit:
        added = proxies.add_proxy(
            unit,
            number,
            name=name,
            relation=relation,
            contact_point_id=typed_contacts.any_point(unit, contact) if contact else None,
            may_speak=speaks,
            may_receive=receives,
            words=words,
            until_at=moment(until, unit.now) if until else None,
        )
    _show_what_became(session, number, added, ended=False)


@command(app, "end", example="crm proxy end P-12 3")
def end(
    ctx: typer.Context,
    patient: Patient,
    proxy: Annotated[int, typer.Argument(metavar="N", help="The proxy's number, as `crm proxy list` shows it.")],
) -> None:
    """From now on they may neither speak nor receive."""
    from crm_core.patients import proxies

    number, session = patient_id(patient), Session.of(ctx)
    with session.writing() as unit:
        proxies.end_proxy(unit, number, proxy)
    _show_what_became(session, number, proxy, ended=True)


def _show_what_became(session: Session, number: int, proxy: int, *, ended: bool) -> None:
    """The patient's proxies; to somebody who records consent but may not read patients, its number alone."""
    with session.reading() as unit:
        reads = unit.actor.may(Permission.PATIENT_READ)
    if reads:
        _show(session, number, ended=ended)
    else:
        session.show([{"proxy": proxy, "patient": show_id(Kind.PATIENT, number)}])


def _show(session: Session, number: int, *, ended: bool = False) -> None:
    from crm_core.patients import proxies

    with session.reading() as unit:
        found = proxies.proxies(unit, number, ended=ended)
    session.show([_document(one) for one in found], empty="Nobody may speak for this patient or receive for them.")


def _document(one: ProxyView) -> dict[str, Any]:
    return {
        "proxy": one.id,
        "patient": show_id(Kind.PATIENT, one.patient_id),
        "name": one.name,
        "relation": one.relation,
        "contact": one.contact,
        "speaks": one.may_speak,
        "receives": one.may_receive,
        "from": one.from_at,
        "until": one.until_at,
        "in_force": one.in_force,
        "words": one.words,
    }
