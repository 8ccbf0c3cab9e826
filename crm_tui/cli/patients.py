"""`crm patients`: find somebody by what a caller can say."""

from __future__ import annotations

from typing import Annotated

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, show_id

app = group("Find patients.")


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
