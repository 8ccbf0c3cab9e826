"""`crm attachment`: taking a file that a patient sent out of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session, is_served
from crm_tui.ids import Kind, read_id, show_id

app = group("Files that came with messages.")


@command(app, "save", example="crm attachment save F-12 --to referral.pdf")
def save(
    ctx: typer.Context,
    attachment: Annotated[str, typer.Argument(metavar="F-…", help="The attachment's id, as `crm show C-…` lists it.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="A new file; nothing that exists is touched.")],
) -> None:
    """Save an attachment as a new file that only you may read; audited."""
    from crm_core.inbox.threads.attachments import take_out
    from crm_tui.saving import must_be_new, save_new

    number = read_id(attachment, Kind.ATTACHMENT)[1]
    session = Session.of(ctx)
    must_be_new(to, served=is_served())
    with session.writing() as unit:
        taken = take_out(unit, number)
    save_new(to, taken.content)
    session.show(
        {
            "attachment": show_id(Kind.ATTACHMENT, number),
            "file": str(to),
            "name": taken.name,
            "type": taken.media_type,
            "bytes": len(taken.content),
        }
    )
