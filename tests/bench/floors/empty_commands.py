"""The command line's commands, empty: what typer alone costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_COMMANDS = (
    "lanes", "queue", "next", "show", "reply", "close", "move", "assign", "snooze", "note", "escalate", "patients",
    "import", "receive", "outbox", "poll", "playbook", "template", "demo", "init", "staff", "vendor", "audit", "keys",
    "doctor",
)  # fmt: skip

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def crm(
    home: Annotated[Path | None, typer.Option("--home", help="The home to use.")] = None,
    as_name: Annotated[str | None, typer.Option("--as", help="Act as this account.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Nothing."""


def _empty(what: str) -> None:
    """Nothing."""


for _name in _COMMANDS:
    app.command(_name, help=f"The command {_name}, which does nothing.")(_empty)

if __name__ == "__main__":
    app(prog_name="crm")
