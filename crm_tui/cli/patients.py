"""`crm patients`: find somebody by what a caller can say; how they want to be reached, and that they have died."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from crm_core.errors import UsageError
from crm_core.words import Channel
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, patient_id, show_id

app = group("Find patients, and keep how they want to be reached.")

Patient = Annotated[str, typer.Argument(metavar="P-…", help="The patient's id.")]


@command(app, "find", example="crm patients find garcia 1970 0199")
def find(
    ctx: typer.Context,
    text: Annotated[
        list[str], typer.Argument(metavar="TEXT…", help="Names, phone digits, MRN, e-mail or birth date, in any order.")
    ],
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many at most.")] = 20,
) -> None:
    """Patients that match every word, best first; looking is recorded."""
    from crm_core.patients import search

    session = Session.of(ctx)
    with session.reading() as unit:
        found = search.find(unit, " ".join(text), limit)
    session.show(
        [
            {
                "patient": show_id(Kind.PATIENT, brief.patient_id),
                "name": brief.name,
                "birth_date": brief.birth_date,
                "age": brief.age,
                "mrn": brief.mrn,
                "phone_ends": brief.last_four,
                "deceased": brief.deceased,
                "active": brief.active,
            }
            for brief in found.patients
        ],
        empty="Nobody matches all of that; a name is found by its first three letters, or whole.",
    )
    if found.hint:
        session.say(found.hint)


@command(app, "prefer", example="crm patients prefer P-12 sms voice")
def prefer(
    ctx: typer.Context,
    patient: Patient,
    ways: Annotated[
        list[str] | None, typer.Argument(metavar="WAY…", help="Channels and own numbers, the first choice first.")
    ] = None,
    nothing: Annotated[bool, typer.Option("--nothing", help="The patient has no preference any more.")] = False,
) -> None:
    """Keep how a patient wants to be reached, in the patient's order, in place of the one before."""
    from crm_core.patients import preferences
    from crm_core.patients.typed_contacts import own_point
    from crm_tui.cli.consent import show_card

    if bool(ways) == nothing:
        raise UsageError(problem="Say the ways in their order, or --nothing", remedy="see `crm patients prefer --help`")
    number, session = patient_id(patient), Session.of(ctx)
    channels = [Channel(way) for way in ways or () if way in set(Channel)]
    typed = [way for way in ways or () if way not in set(Channel)]
    odd = next((way for way in typed if way.isalpha()), None)
    if odd is not None:
        raise UsageError(problem=f"{odd!r} is no channel", remedy=f"choose among {', '.join(Channel)}")
    with session.writing() as unit:
        preferences.prefer(unit, number, channels, [own_point(unit, number, way) for way in typed])
    show_card(session, number)


@command(app, "deceased", example="crm patients deceased P-12 --on 2026-11-20")
def deceased(
    ctx: typer.Context,
    patient: Patient,
    on: Annotated[
        datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day of the death, where it is known.")
    ] = None,
    mistake: Annotated[bool, typer.Option("--mistake", help="It was a mistake: the patient lives.")] = False,
) -> None:
    """Keep that a patient has died: all that was to reach them is cancelled at once, and goes to nobody else."""
    from crm_core.patients import deaths

    number, session = patient_id(patient), Session.of(ctx)
    died_at = on.astimezone() if on and not mistake else None
    with session.writing() as unit:
        who = deaths.take_death_back(unit, number) if mistake else deaths.record_death(unit, number, died_at)
    # Nothing is looked up: who records it need not be somebody who may read patients.
    session.show({"patient": show_id(Kind.PATIENT, who), "deceased": not mistake, "deceased_at": died_at})


@command(app, "unmerge", example="crm patients unmerge P-12")
def unmerge(ctx: typer.Context, patient: Patient) -> None:
    """Let a record that was merged into another be a patient of its own again; what is its own it kept."""
    from crm_core.patients import merging

    number, session = patient_id(patient), Session.of(ctx)
    with session.writing() as unit:
        kept = merging.unmerge(unit, number)
    session.show({"patient": show_id(Kind.PATIENT, number), "leaves": show_id(Kind.PATIENT, kept)})
