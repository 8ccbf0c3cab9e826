"""`crm staff`: accounts, their roles and lanes, who is there and how much they may hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.access.model import Role
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from crm_core.access.queries import StaffView
    from crm_core.work.units import WriteUnit

app = group("Accounts, their roles and lanes.")

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="The account's login, in any case.")]
Roles = Annotated[list[Role], typer.Option("--role", help="A role to hold; repeat for more.")]
Lanes = Annotated[list[str] | None, typer.Option("--lane", metavar="LANE", help="A lane to work; repeat for more.")]


_MOST_DIGITS = 6
"""Of a capacity; more is a slip."""


@command(app, "list", example="crm staff list --json")
def list_staff(ctx: typer.Context) -> None:
    """Every account with its roles, lanes, capacity, absences and last sign-in."""
    from crm_core.access import queries

    session = Session.of(ctx)
    with session.reading() as unit:
        documents = [_document(account) for account in queries.staff(unit)]
    session.show(documents)


@command(app, "add", example='crm staff add maria --name "Maria Lopez" --role nurse --ask-password')
def add(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="A name to sign in with, not in use yet.")],
    *,
    name: Annotated[str, typer.Option("--name", help="The person's name, as colleagues see it.")],
    role: Roles,
    lane: Lanes = None,
    os_user: Annotated[str | None, typer.Option("--os-user", help="The operating-system user this person is.")] = None,
    ask_password: Annotated[
        bool, typer.Option("--ask-password", help="Ask for a password, or read it from standard input.")
    ] = False,
) -> None:
    """Make an account; without a lane it works every lane its roles may see."""
    from crm_core.access import queries, service
    from crm_core.access.logins import checked_login

    session = Session.of(ctx)
    login = checked_login(login)
    hashed = _new_hash(login) if ask_password else None
    with session.writing() as unit:
        _check_lanes(unit, lane)
        service.create_staff(
            unit, login=login, name=name, roles=role, lanes=lane, os_user=os_user, password_hash=hashed
        )
        made = queries.by_login(unit, login)
    session.show(_document(made))


@command(app, "roles", example="crm staff roles maria --role nurse --role supervisor")
def roles(ctx: typer.Context, login: Login, role: Roles) -> None:
    """Replace an account's roles; its sessions end."""
    from crm_core.access import service

    _change(ctx, login, lambda unit, staff_id: service.set_roles(unit, staff_id, role))


@command(app, "lanes", example="crm staff lanes maria --lane refills --lane clinical_triage")
def lanes(ctx: typer.Context, login: Login, lane: Lanes = None) -> None:
    """Replace the lanes an account works; without --lane, every lane its roles may see."""
    from crm_core.access import service

    def change(unit: WriteUnit, staff_id: int) -> None:
        _check_lanes(unit, lane)
        service.set_lanes(unit, staff_id, lane)

    _change(ctx, login, change)


@command(app, "password", example="crm staff password maria")
def password(ctx: typer.Context, login: Login) -> None:
    """Give an account a new password, asked for at a prompt or read from standard input."""
    from crm_core.access import service

    session = Session.of(ctx)
    session.actor  # noqa: B018 - whoever acts gives a password first, where one is asked for
    hashed = _new_hash(login)
    _change(ctx, login, lambda unit, staff_id: service.set_password(unit, staff_id, hashed))


@command(app, "disable", example="crm staff disable maria")
def disable(ctx: typer.Context, login: Login) -> None:
    """Stop an account at its next call; what it did stays, and what it owns is handed to the next taker."""
    from crm_core.access import service
    from crm_core.inbox.take import let_go

    def change(unit: WriteUnit, staff_id: int) -> None:
        service.disable(unit, staff_id)
        let_go(unit, staff_id)

    _change(ctx, login, change)


@command(app, "enable", example="crm staff enable maria")
def enable(ctx: typer.Context, login: Login) -> None:
    """Let an account sign in again."""
    from crm_core.access import service

    _change(ctx, login, service.enable)


@command(app, "os-user", example="crm staff os-user maria mlopez")
def os_user(
    ctx: typer.Context,
    login: Login,
    user: Annotated[str | None, typer.Argument(metavar="USER", help="The system user; none unmaps.")] = None,
) -> None:
    """Say which operating-system user an account is."""
    from crm_core.access import service

    _change(ctx, login, lambda unit, staff_id: service.map_os_user(unit, staff_id, user))


@command(app, "capacity", example="crm staff capacity maria 15")
def capacity(
    ctx: typer.Context,
    login: Login,
    number: Annotated[str, typer.Argument(metavar="N|none", help="Open conversations; none for any number.")],
) -> None:
    """How many open conversations may be given to somebody; what they take themselves is not held to it."""
    from crm_core.access import roster

    most = _number(number)
    _change(ctx, login, lambda unit, staff_id: roster.set_capacity(unit, staff_id, most))


@command(app, "absent", example="crm staff absent maria --from 2026-12-21 --until 2027-01-04 --substitute tom")
def absent(
    ctx: typer.Context,
    login: Login,
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="When they are back: a time, or a span: 3d.")],
    from_: Annotated[str | None, typer.Option("--from", metavar="TIME", help="From when; from now without it.")] = None,
    substitute: Annotated[
        str | None, typer.Option("--substitute", metavar="LOGIN", help="Who gets what would come to them.")
    ] = None,
) -> None:
    """Note that somebody does not work for a time, and who stands in."""
    from crm_core.access import queries, roster
    from crm_tui.cli.times import moment

    def change(unit: WriteUnit, staff_id: int) -> None:
        roster.plan_absence(
            unit,
            staff_id,
            starts_at=moment(from_, unit.now) if from_ is not None else unit.now,
            ends_at=moment(until, unit.now),
            substitute_id=queries.by_login(unit, substitute).id if substitute is not None else None,
        )

    _change(ctx, login, change)


@command(app, "back", example="crm staff back maria")
def back(ctx: typer.Context, login: Login) -> None:
    """Say that somebody is back, or will not be absent after all."""
    from crm_core.access import roster

    _change(ctx, login, roster.end_absence)


def _number(text: str) -> int | None:
    from crm_core.errors import UsageError

    if text.strip().casefold() == "none":
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise UsageError(problem=f"{text} is no number of conversations", remedy="give one such as 15, or none")
    return int(text)


def _change(ctx: typer.Context, login: str, change: Callable[[WriteUnit, int], None]) -> None:
    from crm_core.access import queries

    session = Session.of(ctx)
    with session.writing() as unit:
        change(unit, queries.by_login(unit, login).id)
        changed = queries.by_login(unit, login)
    session.show(_document(changed))


def _check_lanes(unit: WriteUnit, lanes: list[str] | None) -> None:
    """Refuse a lane the playbook in force does not have."""
    if not lanes:
        return
    from crm_core.errors import UsageError
    from crm_core.inbox.playbook.section import LanesSection
    from crm_core.playbook.service import in_force

    known = in_force(unit).section(LanesSection).lane
    for lane in lanes:
        if lane not in known:
            raise UsageError(problem=f"There is no lane {lane}", remedy=f"choose from {', '.join(sorted(known))}")


def _new_hash(login: str) -> str:
    from crm_core.access.passwords import hash_password
    from crm_tui.cli.secrets import ask_new_secret

    return hash_password(ask_new_secret(f"New password of {login}: "))


def _document(account: StaffView) -> dict[str, Any]:
    return {
        "staff": account.id,
        "login": account.login,
        "name": account.name,
        "roles": list(account.roles),
        "lanes": None if account.lanes is None else list(account.lanes),
        "os_user": account.os_user,
        "active": account.active,
        "capacity": account.capacity,
        "absences": [
            {"from": absence.starts_at, "until": absence.ends_at, "substitute": absence.substitute}
            for absence in account.absences
        ],
        "has_password": account.has_password,
        "last_signed_in_at": account.last_signed_in_at,
    }
