"""The checks of `crm doctor`. Each looks for itself: one that fails stops none that can still look."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from crm_core.access.model import SYSTEM
from crm_core.errors import CrmError, StoreMissing
from crm_core.settings import FILE, Settings, close_to_others, open_to_others, parse_settings

if TYPE_CHECKING:
    from crm_core.app import Crm
    from crm_tui.cli.session import Session

LEAST_FREE = 500 * 1024 * 1024
"""Bytes free on the home's disk below which the doctor warns: a write-ahead log may need as much."""
CLOCK_SLACK = timedelta(minutes=2)
OLD_CHECKPOINT = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check's result; `detail` says what was seen and, where not ok, what to do."""

    check: str
    ok: bool
    detail: str


def examine(session: Session, *, fix: bool, probe: bool = False) -> list[Finding]:
    """Every check, in order, with `probe` each gateway's login, too; StoreMissing where there is no home at all."""
    home = session.home
    if not (home / FILE).is_file():
        raise StoreMissing(home=home)
    findings = [_files(session, fix=fix)]
    try:
        settings = parse_settings(home, home / FILE)
    except CrmError as error:
        return [*findings, Finding(check="settings", ok=False, detail=error.message)]
    findings.append(Finding(check="settings", ok=True, detail=str(home / FILE)))
    findings += [_guarded("key", lambda: _key(settings)), _guarded("disk", lambda: _disk(settings))]
    if not all(found.ok for found in findings if found.check in ("files", "key")):
        return findings
    try:
        crm = _opened(session, settings, fix=fix)
    except CrmError as error:
        return [*findings, Finding(check="store", ok=False, detail=error.message)]
    inside = _INSIDE | ({"reachable": _reachable} if probe else {})
    return findings + [_guarded(name, partial(look, crm, settings)) for name, look in inside.items()]


def _opened(session: Session, settings: Settings, *, fix: bool) -> Crm:
    """The opened store; one of an older schema is brought up to date where that was asked for."""
    from crm_core.app import upgrade
    from crm_core.audit.tags import Tag
    from crm_core.store.schema import HEAD, SchemaDiffers

    try:
        return session.crm
    except SchemaDiffers:
        if not fix:
            raise
    before = upgrade(settings)
    with session.crm.write(SYSTEM) as unit:
        unit.audit(Tag.STORE_MIGRATED, why=f"{before} to {HEAD}")
    return session.crm


def _guarded(name: str, look: Callable[[], str | Problem]) -> Finding:
    try:
        seen = look()
    except CrmError as error:
        return Finding(check=name, ok=False, detail=error.message)
    return Finding(check=name, ok=not isinstance(seen, Problem), detail=str(seen))


class Problem(str):
    """A detail that is not well."""

    __slots__ = ()


def _files(session: Session, *, fix: bool) -> Finding:
    closed = close_to_others(session.home) if fix else []
    wide = open_to_others(session.home)
    if wide:
        names = ", ".join(f"{path.name} ({mode:04o})" for path, mode in wide)
        return Finding(check="files", ok=False, detail=f"open to other accounts: {names}; run `crm doctor --fix`")
    names = ", ".join(path.name for path in closed)
    return Finding(check="files", ok=True, detail=f"closed now: {names}" if closed else "readable by their owner alone")


def _key(settings: Settings) -> str:
    from crm_core.app import key_provider

    provider = key_provider(settings)
    provider.read()
    return f"in {provider.place}"


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.home).free
    said = f"{free / 1024**3:.1f} GiB free"
    return said if free >= LEAST_FREE else Problem(f"{said}; make room before writes fail")


def _store(crm: Crm, settings: Settings) -> str:
    from sqlalchemy import text

    with crm.read(SYSTEM) as unit:
        unit.scalar(text("SELECT 1"))
    return settings.store_label


def _schema(crm: Crm, _settings: Settings) -> str:
    from crm_core.store.schema import HEAD, check

    check(crm.store)
    return HEAD


def _clock(crm: Crm, _settings: Settings) -> str:
    from sqlalchemy import func, select

    from crm_core.audit.tables import AuditRow

    now = datetime.now(UTC)
    with crm.read(SYSTEM) as unit:
        last = unit.scalar(select(func.max(AuditRow.at)))
        theirs = unit.scalar(select(func.now())) if unit.dialect == "postgresql" else now
    if last is not None and last - now > CLOCK_SLACK:
        return Problem(f"behind the last audited work by {last - now}; set this host's clock")
    if abs(theirs - now) > CLOCK_SLACK:
        return Problem(f"differs from the database's by {abs(theirs - now)}; set both by NTP")
    return f"{now:%Y-%m-%d %H:%M:%S} UTC"


def _playbook(crm: Crm, _settings: Settings) -> str:
    from crm_core.playbook.service import in_force

    with crm.read(SYSTEM) as unit:
        playbook = in_force(unit)
    return f"{playbook.name}, version {playbook.version}"


def _accounts(crm: Crm, _settings: Settings) -> str:
    from crm_core.access.model import Permission
    from crm_core.access.queries import staff

    with crm.read(SYSTEM) as unit:
        accounts = [account for account in staff(unit) if account.active]
    managers = [account for account in accounts if account.as_actor().may(Permission.STAFF_MANAGE)]
    said = f"{len(accounts)} active, {len(managers)} of them may manage accounts"
    return said if managers else Problem(f"{said}; nobody can add or disable one")


def _gateways(crm: Crm, settings: Settings) -> str:
    from crm_tui.cli.gateway_checks import each_gateway

    return _joined(each_gateway(crm, settings), "none configured: nothing can leave")


def _reachable(_crm: Crm, settings: Settings) -> str:
    from crm_tui.cli.gateway_checks import each_reached

    return _joined(each_reached(settings), "no gateway leads out of this host")


def _mailboxes(crm: Crm, settings: Settings) -> str:
    from crm_tui.cli.mailbox_checks import each_mailbox

    return _joined(each_mailbox(crm, settings), "none configured: no letter comes in by itself")


def _joined(said: Iterable[tuple[bool, str]], nothing: str) -> str:
    """What is wrong, or else all that was seen."""
    seen = list(said)
    wrong = [detail for ok, detail in seen if not ok]
    joined = "; ".join(wrong or [detail for _, detail in seen]) or nothing
    return Problem(joined) if wrong else joined


def _agreements(crm: Crm, _settings: Settings) -> str:
    from crm_core.channels.vendors import vendors

    with crm.read(SYSTEM) as unit:
        known = vendors(unit)
    wrong = [f"{one.name} for {one.gateway} ended on {one.baa_until}" for one in known if one.ran_out]
    wrong += [f"{one.name} for {one.gateway} ends in {one.days_left} days" for one in known if one.ends_soon]
    if wrong:
        return Problem(f"{'; '.join(wrong)}: renew with `crm vendor add`, or `crm vendor end`")
    return f"{sum(one.in_date for one in known)} in date"


def _anchor(crm: Crm, settings: Settings) -> str:
    from crm_core.audit import checkpoint

    last = checkpoint.last(settings.anchor, crm.vault)
    if last is None:
        return Problem("no checkpoint yet; run `crm poll`, or `crm audit checkpoint`")
    said = f"checkpoint {last.number} of {last.at:%Y-%m-%d %H:%M} UTC"
    if settings.anchor.parent == settings.home:
        return f"{said}, beside the store: name another disk or host in crm.toml"
    return said


def _pollers(crm: Crm, settings: Settings) -> str:
    from crm_core.timers.queries import polling
    from crm_tui.pollers_told import told, trouble

    with crm.read(SYSTEM) as unit:
        seen = polling(unit, crm.chores)
        now = unit.now
    living = "; ".join(told(one, now) for one in seen.living)
    wrong = trouble(seen)
    if not seen.living and not seen.late and settings.console_delivers:
        return "none alive; a console polls while it is open, `crm poll` at any time"
    if wrong is not None:
        return Problem(f"{wrong}; run `crm poll` as a service, or look at its log" + (f" ({living})" if living else ""))
    # A console is not given the key that signs checkpoints, and what it anchored is a check of its own.
    unpolled = [kind for kind in seen.unpolled if kind != "anchor"]
    if unpolled:
        return Problem(f"{living}; nobody polls {', '.join(unpolled)}: start one with `crm poll --kinds`")
    return f"{len(seen.living)} alive, nothing late: {living}"


def _incoming(crm: Crm, _settings: Settings) -> str:
    from crm_core.channels.incoming.waiting import waiting

    with crm.read(SYSTEM) as unit:
        waits = waiting(unit)
    if waits.too_long:
        return Problem(
            f"{waits.count} taken in and not handled, the oldest for {waits.longest.total_seconds():.0f} s: danger in "
            "them is not seen; start `crm poll`, and see `crm outbox --state dead` for what was given up"
        )
    return f"{waits.count} in hand" if waits.count else "all that was taken in is handled"


_INSIDE: dict[str, Callable[[Crm, Settings], str]] = {
    "store": _store,
    "schema": _schema,
    "clock": _clock,
    "playbook": _playbook,
    "accounts": _accounts,
    "gateways": _gateways,
    "agreements": _agreements,
    "mailboxes": _mailboxes,
    "anchor": _anchor,
    "pollers": _pollers,
    "incoming": _incoming,
}
