"""docs/cli.md, written from the commands themselves: `python -m crm_tui.cli.reference > docs/cli.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from crm_tui.cli.app import TABLE, load
from crm_tui.cli.command import shared_options

_HEAD = """\
# The command line

Written from the commands by `make docs`; do not edit. `crm` alone opens the console.

Every command also takes these options, before its name or after it:

{shared}

Exit codes: 0 done · 1 done with failures (rejected rows, tampering found) · 2 usage ·
3 not permitted · 4 store, key or gateway not available · 130 interrupted.

With `--json` a command prints one JSON document on standard output and nothing else; times in
it are ISO 8601 UTC. Ids carry their kind: `P-12` a patient, `C-1042` a conversation.
A secret is never an argument: it is asked for at a prompt, or read as a line of standard input.
"""


def reference() -> str:
    """The whole document."""
    parts = [_HEAD.format(shared="\n".join(_parameter(param) for param in shared_options()))]
    for section in dict.fromkeys(entry.section for entry in TABLE.values()):
        parts.append(f"## {section}\n")
        for name, entry in TABLE.items():
            if entry.section == section:
                parts += _documented(name, load(name))
    return "\n".join(parts)


def _documented(name: str, command: Any) -> Iterator[str]:
    if not isinstance(command, TyperGroup):
        yield _command(name, command)
        return
    if command.invoke_without_command:
        yield _command(name, command)
    for inner, found in command.commands.items():
        yield _command(f"{name} {inner}", found)


def _command(name: str, command: Any) -> str:
    context = typer.Context(command, info_name=f"crm {name}")
    usage = " ".join([f"crm {name}", *command.collect_usage_pieces(context)])
    shared = {param.name for param in shared_options()} | {"help"}
    lines = [f"### {name}", "", command.help, "", "```", usage, "```", ""]
    own = [_parameter(param) for param in command.params if param.name not in shared]
    if own:
        lines += [*own, ""]
    return "\n".join([*lines, f"Example: `{command.epilog}`", ""])


def _parameter(param: Any) -> str:
    if param.param_type_name == "argument":
        name = f"`{param.metavar or param.name.upper()}`"
    else:
        # A stable spelling: typer's own help depends on the width of the terminal.
        value = "" if getattr(param, "is_flag", False) else f" {_value(param)}"
        name = f"`{' / '.join([*param.opts, *param.secondary_opts])}{value}`"
    required = " Required." if param.required and param.param_type_name == "option" else ""
    return f"- {name}: {param.help}{required}"


def _value(param: Any) -> str:
    choices = param.type_descriptor.choices
    if param.metavar:
        return str(param.metavar)
    if choices:
        return "|".join(str(getattr(choice, "value", choice)) for choice in choices)
    return str(param.name).upper()


def main() -> None:
    """Print the document."""
    sys.stdout.write(reference())


if __name__ == "__main__":
    main()
