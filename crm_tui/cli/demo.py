"""`crm demo`: a throw-away home, filled through the same doors as real data, then the console."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.errors import UsageError
from crm_core.settings import FILE, KeySource, read_settings
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session, os_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_core.settings import Settings

app = group("A clinic to try things in.")

MARK = "demo.json"
"""The file that says a home is a whole demo, and what is in it."""

STALE_DAYS = 7
"""After so many days a demo's dates look old, and the user is told how to make it anew."""


@command(app, "demo", example="crm demo --no-console --json")
def demo(
    ctx: typer.Context,
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="The demo's home.")] = None,
    no_console: Annotated[bool, typer.Option("--no-console", help="Only make it, and say what is in it.")] = False,
) -> None:
    """Make an invented clinic with three months behind it, or open the one made before."""
    session = Session.of(ctx)
    home = (to or session.home_given or _default_home()).expanduser().absolute()
    made = _made_before(home)
    if made is None:
        made = _make(session, home)
    elif (datetime.now(UTC) - datetime.fromisoformat(made["made_at"])).days >= STALE_DAYS:
        session.say(f"This demo was made on {made['made_at'][:10]}; delete {home} to make it anew.")
    session.home_given = home
    document = {
        "home": home,
        **{name: made[name] for name in ("patients", "conversations", "appointments", "referrals")},
    }
    if no_console or session.json or not sys.stdout.isatty():
        session.show(document)
        return
    from crm_tui.cli.console import open_console

    open_console(session)


def _default_home() -> Path:
    from platformdirs import user_data_path

    return user_data_path("crm-demo", appauthor=False)


def _made_before(home: Path) -> dict[str, Any] | None:
    mark = home / MARK
    if mark.is_file():
        found: dict[str, Any] = json.loads(mark.read_text("utf-8"))
        return found
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise UsageError(problem=f"{home} is no demo", remedy="name another folder by --to")
    return None


def _make(session: Session, home: Path) -> dict[str, Any]:
    """Make it beside its place and move it there whole, so that one that was cut off is never opened."""
    from crm_core.settings import write_private

    with _workshop(home) as workshop:
        counts = _fill(session, workshop)
        write_private(workshop / MARK, json.dumps({**counts, "made_at": datetime.now(UTC).isoformat()}))
        if home.is_dir():
            home.rmdir()
        workshop.rename(home)
    return _made_before(home) or {}


@contextmanager
def _workshop(home: Path) -> Iterator[Path]:
    workshop = home.with_name(f".{home.name}.making")
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir(mode=0o700, parents=True)
    try:
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _fill(session: Session, home: Path) -> dict[str, Any]:
    from crm_core.app import found, key_provider
    from crm_core.clock import ShiftedClock
    from crm_core.demo.plan import make_plan
    from crm_core.demo.playing import Player, counts
    from crm_core.settings import write_settings
    from crm_core.vault.keys import Key

    write_settings(home, key=KeySource.FILE, playbook="primary_care")
    settings: Settings = read_settings(home)
    master = Key.random()
    key_provider(settings).create(master)
    plan = make_plan(datetime.now(UTC))
    clock = ShiftedClock(plan.begins)
    session.say("Making the demo clinic: about a quarter of a minute, this once.")
    with found(settings, master, clock) as crm:
        Player(crm, clock, plan, os_user()).play(_progress)
        made = counts(crm)
    assert (home / FILE).is_file()
    return made


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty() and (done % 20 == 0 or done == of):
        end = "\n" if done == of else ""
        sys.stderr.write(f"\r  {done * 100 // of:3d} %  {done:,} of {of:,} events{end}")
        sys.stderr.flush()
