"""The command `crm`: its table of commands, each imported only when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.main import get_group

from crm_tui.cli.command import Group
from crm_tui.cli.session import Session


class Entry(NamedTuple):
    """Where a command lives; `whole` where its module's whole app is the command's group."""

    section: str
    module: str
    summary: str
    whole: bool = False


WORK, LOOK, RULES, HOUSE = "Work", "Patients and messages", "Rules and templates", "House"

TABLE: dict[str, Entry] = {
    "console": Entry(WORK, "console", "Open the console."),
    "lanes": Entry(WORK, "lanes", "What is open in each lane."),
    "queue": Entry(WORK, "lanes", "One lane's conversations, in working order."),
    "next": Entry(WORK, "lanes", "Take the most urgent conversation."),
    "find": Entry(WORK, "find", "Open conversations that answer to a filter, in working order."),
    "views": Entry(WORK, "views", "Filters kept under a name.", whole=True),
    "show": Entry(WORK, "show", "A patient, a conversation or a task."),
    "reply": Entry(WORK, "verbs", "Answer a conversation."),
    "close": Entry(WORK, "verbs", "Close a conversation with its outcome."),
    "move": Entry(WORK, "verbs", "Move a conversation to another lane."),
    "assign": Entry(WORK, "verbs", "Give a conversation to somebody."),
    "snooze": Entry(WORK, "verbs", "Put a conversation aside until a time."),
    "call": Entry(
        WORK,
        "calls",
        "Log a call: how it ended, what it was about, when the next one is.",
    ),
    "note": Entry(WORK, "verbs", "Write an internal note."),
    "later": Entry(WORK, "threads", "Change the time of an answer set for later, or take it back."),
    "classify": Entry(WORK, "threads", "Say what a conversation is about, and how urgent."),
    "duplicates": Entry(WORK, "threads", "What else is open of the same person, or says the same."),
    "merge": Entry(WORK, "threads", "Merge a conversation into another of the same person."),
    "split": Entry(WORK, "threads", "Make a conversation of its own out of some messages."),
    "relink": Entry(WORK, "threads", "Move a conversation to another patient."),
    "clock": Entry(WORK, "clock", "How a conversation's clocks were counted, stretch by stretch."),
    "escalate": Entry(WORK, "verbs", "Hand a conversation up, with one question."),
    "bulk": Entry(WORK, "bulk", "One verb over all that answer to a filter.", whole=True),
    "undo": Entry(WORK, "undo", "Take back what you did last."),
    "handoff": Entry(WORK, "handoff", "What I own, what I hand over, and what is handed to me.", whole=True),
    "tasks": Entry(WORK, "tasks", "What is to be done, by whom and by when.", whole=True),
    "patients": Entry(LOOK, "patients", "Find patients, and keep how they want to be reached.", whole=True),
    "consent": Entry(
        LOOK, "consent", "What patients agreed to and asked for, and numbers to decide about.", whole=True
    ),
    "proxy": Entry(LOOK, "proxy", "Who may speak for a patient, and receive for them.", whole=True),
    "calls": Entry(WORK, "call_list", "Whom to call, and what came of it.", whole=True),
    "notice": Entry(WORK, "notice", "What the house sends by itself, later, to one patient.", whole=True),
    "import": Entry(LOOK, "imports", "Bring patients in from other systems.", whole=True),
    "receive": Entry(LOOK, "receive", "Take in messages, as a gateway would."),
    "attachment": Entry(LOOK, "attachment", "Files that came with messages.", whole=True),
    "metrics": Entry(
        LOOK,
        "metrics",
        "A week's figures: opened, closed, resolved at the first contact, time to the first answer, breaches.",
    ),
    "outbox": Entry(LOOK, "outbox", "What is queued, sent, failed or unknown.", whole=True),
    "poll": Entry(LOOK, "poll", "Do what is due."),
    "listen": Entry(LOOK, "listen", "Listen for webhooks, web forms, chats and ringing numbers."),
    "ringing": Entry(LOOK, "ringing", "Calls that ring now, and whom each may be."),
    "directory": Entry(LOOK, "directory", "What there is, where, and how it is booked.", whole=True),
    "playbook": Entry(RULES, "playbook", "The clinic's own rules.", whole=True),
    "template": Entry(RULES, "template", "The library of answers.", whole=True),
    "demo": Entry(HOUSE, "demo", "Make an invented clinic with three months behind it, or open the one made before."),
    "init": Entry(HOUSE, "init", "Make a home: key, store, playbook, first account."),
    "staff": Entry(HOUSE, "staff", "Accounts, their roles and lanes.", whole=True),
    "vendor": Entry(HOUSE, "vendor", "Who carries messages, and under which BAA.", whole=True),
    "audit": Entry(HOUSE, "audit", "What was done and seen, by whom.", whole=True),
    "keys": Entry(HOUSE, "keys", "The keys in use.", whole=True),
    "doctor": Entry(HOUSE, "doctor", "Check key, store, clock, gateways and files."),
}
"""Every command, in the order of `crm --help`. A test holds the summaries to the commands' own."""


def load(name: str) -> Any:
    """Import the command `name` and return it."""
    entry = TABLE[name]
    made = get_group(import_module(f"crm_tui.cli.{entry.module}").app)
    found = made if entry.whole else made.commands[name]
    found.name = name
    return found


class LazyGroup(Group):
    """`crm` itself: help from the table alone, a command's module imported when it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Names only: typer looks here for "did you mean".
        self.commands = dict.fromkeys(TABLE)  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """Every command's name."""
        return list(TABLE)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        """The command, imported now; None where there is none."""
        return load(cmd_name) if cmd_name in TABLE else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's signature
        """The table, by section, without importing anything."""
        for section in dict.fromkeys(entry.section for entry in TABLE.values()):
            with formatter.section(section):
                formatter.write_dl([(name, entry.summary) for name, entry in TABLE.items() if entry.section == section])


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def crm(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Messages, lanes, clocks and answers for a clinic's front line; alone, it opens the console."""
    if version:
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as version_of

        try:
            typer.echo(version_of("clinic-crm"))
        except PackageNotFoundError:
            typer.echo("not installed: run from its source")
    elif ctx.invoked_subcommand is None:
        from crm_tui.cli.console import open_console

        open_console(Session.of(ctx))
