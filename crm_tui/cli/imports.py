"""`crm import`: patients from other systems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

app = group("Bring patients in from other systems.")


@command(app, "fhir", example="crm import fhir bundles/ --rejects rejects.ndjson")
def fhir(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Bundles, NDJSON exports, or folders of them.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", metavar="FILE", help="Where to list what was not taken, and why.")
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
    with progress("Importing") as shown:

        def tell(now: ImportProgress) -> None:
            shown(now.read)

        report = import_fhir(
            session.crm,
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
        if rejects is None:
            session.say("Name a file with --rejects to see what was not taken, and why.")
        raise typer.Exit(1)
