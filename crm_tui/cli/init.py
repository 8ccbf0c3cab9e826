"""`crm init`: a home, its key, its store, the playbook in force and the first account."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.errors import CrmError, UsageError
from crm_core.settings import EMBEDDED, FILE, KeySource, Settings
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session, is_served, os_user

if TYPE_CHECKING:
    from crm_core.access.model import Role
    from crm_core.vault.keys import Key

app = group("Make a home.")

STORE_PASSWORD = "store-password"  # noqa: S105 - a file's name


class HomeExists(CrmError):
    """{home} holds files already; use another --home, or move them away for a new start."""

    exit_code = 2


@command(app, "init", example="crm init --key file")
def init(
    ctx: typer.Context,
    *,
    store: Annotated[
        str, typer.Option("--store", metavar="URL", help="postgresql://user@host/name; else a file in the home.")
    ] = EMBEDDED,
    key: Annotated[
        KeySource, typer.Option("--key", help="Where the master key lives; file is for hosts without a keyring.")
    ] = KeySource.KEYRING,
    playbook: Annotated[
        str, typer.Option("--playbook", metavar="NAME", help="The rules to begin with.")
    ] = "primary_care",
    admin_only: Annotated[
        bool, typer.Option("--admin-only", help="The first account manages accounts and rules, and sees no patient.")
    ] = False,
    ask_password: Annotated[bool, typer.Option("--ask-password", help="Ask for the first account's password.")] = False,
    ask_store_password: Annotated[
        bool, typer.Option("--ask-store-password", help="Ask for the database's password, kept in a 0600 file.")
    ] = False,
) -> None:
    """Make a home: key, store, playbook, first account; prints the recovery code once, on standard error."""
    from crm_core.access.passwords import hash_password
    from crm_core.vault.recovery import recovery_code
    from crm_tui.cli.secrets import ask_new_secret, ask_secret

    session = Session.of(ctx)
    _check_url(store)
    database_password = ask_secret("Password of the database: ") if ask_store_password else None
    ask_password = ask_password or is_served()
    hashed = hash_password(ask_new_secret(f"Password for {os_user()}: ")) if ask_password else None
    with _new_home(session.home) as home:
        settings = _write(home, store, key, playbook, database_password)
        with _new_key(settings) as master:
            admin = _found(settings, master, hashed, admin_only=admin_only)
    session.show({"home": home, "store": settings.store_label, "key": key, "playbook": playbook, "admin": admin})
    _tell(session, recovery_code(master), has_password=hashed is not None, admin_only=admin_only)


def _check_url(url: str) -> None:
    if url == EMBEDDED:
        return
    if not url.startswith("postgresql://"):
        remedy = "give postgresql://user@host/name, or leave --store away for a file in the home"
        raise UsageError(problem="A store is a Postgres server or the home's own file", remedy=remedy)
    if ":" in url.removeprefix("postgresql://").rpartition("@")[0] or "password=" in url:
        remedy = "leave it out and add --ask-store-password"
        raise UsageError(problem="A password in an argument can be read by everyone on this host", remedy=remedy)


@contextmanager
def _new_home(home: Path) -> Iterator[Path]:
    """The home's folder, new or empty; what was put into it is taken away again on an error."""
    existed = home.exists()
    if existed and (not home.is_dir() or any(home.iterdir())):
        raise HomeExists(home=home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    try:
        yield home
    except BaseException:
        for path in home.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not existed:
            home.rmdir()
        raise


def _write(home: Path, url: str, key: KeySource, playbook: str, database_password: str | None) -> Settings:
    from crm_core.settings import parse_settings, write_private, write_settings

    password_file = None
    if database_password is not None:
        password_file = STORE_PASSWORD
        write_private(home / password_file, database_password + "\n")
    write_settings(home, url=url, key=key, playbook=playbook, password_file=password_file)
    return parse_settings(home, home / FILE)


@contextmanager
def _new_key(settings: Settings) -> Iterator[Key]:
    """A new master key, kept where the settings say before anything is sealed with it.

    One that was put into the keyring is taken out again on an error; a key file goes with the home.
    """
    from crm_core.app import key_provider
    from crm_core.vault.keyrings import safe_backend
    from crm_core.vault.keys import Key

    master = Key.random()
    key_provider(settings).create(master)
    try:
        yield master
    except BaseException:
        if settings.key_source is KeySource.KEYRING:
            with suppress(Exception):
                safe_backend().delete_password("crm", str(settings.home))
        raise


def _found(settings: Settings, master: Key, password_hash: str | None, *, admin_only: bool) -> str:
    from crm_core.access.logins import BadLogin, checked_login
    from crm_core.access.model import SYSTEM, Role
    from crm_core.access.service import create_staff
    from crm_core.app import found
    from crm_core.audit.tags import Tag

    roles: list[Role] = [Role.ADMIN] if admin_only else list(Role)
    user = os_user()
    try:
        login = checked_login(user)
    except BadLogin:
        login = "admin"
    with found(settings, master) as crm, crm.write(SYSTEM) as unit:
        create_staff(unit, login=login, name=_full_name(login), roles=roles, os_user=user, password_hash=password_hash)
        unit.audit(Tag.STORE_INITIALISED)
    return login


def _full_name(login: str) -> str:
    """What the host calls this person; the login where it says nothing usable."""
    import pwd

    from crm_core.access.logins import BadName, checked_name

    with suppress(KeyError, BadName):
        return checked_name(pwd.getpwnam(os_user()).pw_gecos.partition(",")[0])
    return login


def _tell(session: Session, code: str, *, has_password: bool, admin_only: bool) -> None:
    lines: list[Any] = [
        "",
        "The recovery code, shown this once. Print it, and keep it away from this host:",
        f"  {code}",
        "Whoever has it and a copy of the store can read everything; without it and the key, nobody can.",
        "",
    ]
    if not admin_only:
        lines.append("Your account holds every role, so that one person can work alone.")
    lines.append("Roles are advisory to whoever holds the key: on this host, that is you.")
    if not has_password:
        lines.append("Your account has no password; `crm staff password` sets one, and the console's lock needs it.")
    session.say("\n".join(lines))
