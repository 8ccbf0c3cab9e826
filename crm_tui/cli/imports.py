"""`crm import`: patients from other systems."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

app = group("Bring patients in from other systems.")

REJECTS = "rejects.ndjson"
"""Where rejects go when no file is named: in the home, for the owner's eyes only."""

SHOWN_REJECTS = 5
"""Rejects that are told at once; the file holds all."""


@command(app, "fhir", example="crm import fhir bundles/ --rejects rejects.ndjson")
def fhir(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Bundles, NDJSON exports, or folders of them.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(
            "--rejects", metavar="FILE", help="Where to list what was not taken; else rejects.ndjson at home."
        ),
    ] = None,
    limit_errors: Annotated[
        int | None, typer.Option("--limit-errors", metavar="N", min=1, help="Stop after so many rejects.")
    ] = None,
) -> None:
    """Import FHIR R4 patients; run again it changes nothing, and a bad record stops no other."""
    from crm_core.exchange.importer import import_fhir
    from crm_core.exchange.model import ImportProgress
    from crm_tui.cli.output import progress

    session = Session.of(ctx)
    crm = session.crm
    if rejects is None and not dry_run:
        rejects = session.home / REJECTS
    with progress("Importing") as shown:

        def tell(now: ImportProgress) -> None:
            shown(now.read)

        report = import_fhir(
            crm,
            session.actor,
            paths,
            dry_run=dry_run,
            rejects_path=rejects,
            limit_errors=limit_errors,
            progress=tell,
        )
    document = report.as_dict()
    by_type = [{"type": kind, **counts} for kind, counts in document["by_type"].items()]
    session.show(document, people={**document, "by_type": by_type})
    if document["rejected"]:
        _tell_rejects(session, rejects, document["rejected"])
        raise typer.Exit(1)
    if rejects is not None and rejects.is_file() and rejects.stat().st_size == 0:
        rejects.unlink()


def _tell_rejects(session: Session, rejects: Path | None, count: int) -> None:
    """The first few in a sentence each, and where the rest is; a reject's message holds no patient."""
    if rejects is None:
        session.say("Run it without --dry-run, or name a file with --rejects, to see what is not taken, and why.")
        return
    with rejects.open(encoding="utf-8") as lines:
        for line in islice(lines, SHOWN_REJECTS):
            reject = json.loads(line)
            session.say(f"{reject['file']}, row {reject['row']}: {reject['message']}")
    more = f"{count - SHOWN_REJECTS} more, and a" if count > SHOWN_REJECTS else "A"
    session.say(f"{more}ll of them are in {rejects}.")
