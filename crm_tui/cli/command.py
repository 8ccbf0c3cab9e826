"""How a command is declared: with its example, and the options that every command takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from crm_tui.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])


def group(summary: str, *, alone: bool = False) -> typer.Typer:
    """A group of commands: `app = group("Accounts and their roles.")`; `alone` if it does something by itself."""
    return typer.Typer(
        cls=Group,
        help=summary,
        add_completion=False,
        no_args_is_help=not alone,
        invoke_without_command=alone,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        pretty_exceptions_show_locals=False,
    )


def command(app: typer.Typer, name: str, *, example: str) -> Callable[[F], F]:
    """Declare a command of `app`; its docstring is its help, `example` one line that works."""
    return app.command(name, cls=Command, epilog=example)


def _home(ctx: typer.Context, value: Path | None) -> None:
    if value is not None:
        Session.of(ctx).home_given = value


def _as(ctx: typer.Context, value: str | None) -> None:
    if value is not None:
        Session.of(ctx).as_name = value


def _json(ctx: typer.Context, value: bool) -> None:
    if value:
        Session.of(ctx).json = True


def _options(
    home: Annotated[
        Path | None,
        typer.Option("--home", metavar="DIR", help="The home to use.", expose_value=False, callback=_home),
    ] = None,
    as_name: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="NAME", help="Act as this account; asks for its password.", expose_value=False, callback=_as
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout.", expose_value=False, callback=_json)
    ] = False,
) -> None:
    """Carry the shared options to `shared_options`."""


def shared_options() -> list[Any]:
    """--home, --as and --json, as parameters of a click command: given before the command's name or after it."""
    carrier = typer.Typer(add_completion=False, rich_markup_mode=None)
    carrier.command()(_options)
    return list(get_command(carrier).params)


class Command(TyperCommand):
    """A command that also takes the shared options, and prints its example as it must be typed."""

    def __init__(self, name: str | None, **settings: Any) -> None:
        super().__init__(name, **settings)
        self.params = [*self.params, *shared_options()]

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's signature
        """The example, never wrapped."""
        _write_example(self.epilog, formatter)


class Group(TyperGroup):
    """A group that takes the shared options before the inner command's name too."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.params = [*self.params, *shared_options()]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Each command with its whole summary: cut at the line's end it would say less than its name."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, found.get_short_help_str(200)) for name, found in commands if found])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's signature
        """The example of a group that does something by itself, never wrapped."""
        _write_example(self.epilog, formatter)


def _write_example(example: str | None, formatter: Any) -> None:
    if example:
        formatter.write(f"\nExample:\n  {example}\n")
