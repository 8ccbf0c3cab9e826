"""`crm --help`: complete, and paid for by nobody who only wants help."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from crm_tui.cli.app import TABLE, app, load

_LOADED = """
import sys
sys.argv = ["crm", {arguments}]
from crm_tui.__main__ import main
try:
    main()
except SystemExit:
    pass
import json
print("MODULES " + json.dumps(sorted(sys.modules)))
"""


def modules_loaded_by(*arguments: str) -> set[str]:
    code = _LOADED.format(arguments=", ".join(map(repr, arguments)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("MODULES "))
    return set(json.loads(line.removeprefix("MODULES ")))


HEAVY = {"starlette", "uvicorn", "sqlalchemy", "textual", "rich", "cryptography", "keyring", "sqlcipher3", "psycopg"}


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("nonsense",)])
def test_help_imports_no_store_no_console_and_no_rich(arguments: tuple[str, ...]) -> None:
    assert not {name.partition(".")[0] for name in modules_loaded_by(*arguments)} & HEAVY


def test_help_imports_only_the_skeleton_of_the_command_line() -> None:
    ours = {name for name in modules_loaded_by("--help") if name.startswith("crm_")}
    assert ours <= {
        "crm_tui",
        "crm_tui.__main__",
        "crm_tui.cli",
        "crm_tui.cli.app",
        "crm_tui.cli.command",
        "crm_tui.cli.session",
    }


@pytest.mark.parametrize("name", TABLE)
def test_no_commands_help_imports_the_store_or_the_console(name: str) -> None:
    assert not {module.partition(".")[0] for module in modules_loaded_by(name, "--help")} & HEAVY


def every_command() -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name in TABLE:
        loaded = load(name)
        if isinstance(loaded, TyperGroup):
            if loaded.invoke_without_command:
                found.append((name, loaded))
            found += [(f"{name} {inner}", command) for inner, command in loaded.commands.items()]
        else:
            found.append((name, loaded))
    return found


@pytest.mark.parametrize("name", TABLE)
def test_the_table_says_what_the_command_says_of_itself(name: str) -> None:
    first = (load(name).help or "").split("\n")[0]
    assert TABLE[name].summary == first.partition(";")[0].rstrip(".") + "."


@pytest.mark.parametrize(
    ("name", "command"), every_command(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_has_help_for_itself_and_its_options_and_an_example_that_parses(name: str, command: Any) -> None:
    assert command.help, name
    assert all(param.help for param in command.params), name
    assert command.epilog.startswith(f"crm {name}"), name
    import shlex

    words = shlex.split(command.epilog.partition(" < ")[0])[1 + len(name.split()) :]
    assert command.make_context(
        name, words, parent=get_command(app).make_context("crm", ["--help"], resilient_parsing=True)
    )


@pytest.mark.parametrize(
    ("name", "command"), every_command(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_command_takes_a_secret_as_an_argument(name: str, command: Any) -> None:
    for param in command.params:
        if getattr(param, "is_flag", False):
            continue
        for option in param.opts:
            assert not {"password", "secret", "key-hex", "recovery", "code", "token"} & set(
                option.strip("-").split("-")
            )


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    answer = CliRunner().invoke(app, ["quue"])
    assert answer.exit_code == 2
    assert "'queue'" in answer.stderr
    assert isinstance(app, typer.Typer)
