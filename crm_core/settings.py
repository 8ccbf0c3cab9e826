"""A home: the folder with crm.toml, the key file and the embedded store, and who may read it.

crm.toml is read with tomllib and checked by pydantic here, at the edge; what comes out is a
frozen `Settings` with every path made absolute. It is written once, by `crm init`.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from crm_core.errors import CrmError, StoreMissing, Unavailable
from crm_core.listen_settings import ListenTable
from crm_core.listen_settings import absolute as absolute_throughout
from crm_core.new_settings import NEW_FILE
from crm_core.twilio_settings import Table as _Table
from crm_core.twilio_settings import TwilioTable

FILE = "crm.toml"
LOCK_SECONDS = 120
EMBEDDED = "sqlite:///crm.db"


class BadSettings(CrmError):
    """{file} cannot be used: {problems}; mend it and try again."""

    exit_code = 2


class TooOpen(Unavailable):
    """{path} is open to other accounts (mode {mode}); run `crm doctor --fix`."""


class SecretUnreadable(Unavailable):
    """The password file {path} named in crm.toml cannot be read; create it with mode 0600."""


class KeySource(StrEnum):
    """Where the master key lives."""

    KEYRING = "keyring"
    FILE = "file"


class SmtpTable(_Table):
    """`[gateway.X]` with kind = "smtp": a mail submission server, always over verified TLS."""

    kind: Literal["smtp"]
    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls"] = "starttls"
    user: str | None = None
    password_file: Path | None = None
    sender: str = Field(alias="from", min_length=3)
    ca_file: Path | None = None
    per_second: float | None = Field(default=None, gt=0, le=1000)
    vendor: str = Field(min_length=1, description="the vendor whose BAA covers this gateway, as `crm vendor` names it")

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, given: str) -> str:
        local, _, domain = parseaddr(given)[1].rpartition("@")
        if not (local and domain and given.isprintable()) or any(map(str.isspace, local + domain)):
            raise ValueError("it is an address, like frontdesk@example.org or Front Desk <frontdesk@example.org>")
        return given


class SpoolTable(_Table):
    """`[gateway.X]` with kind = "spool": JSON lines appended to a file, nothing leaves the host."""

    kind: Literal["spool"]
    path: Path = Path("spool.jsonl")


class MailboxTable(_Table):
    """`[mailbox.NAME]`: a folder read over IMAP, always over verified TLS.

    `port` is 993, or 143 with STARTTLS, where none is named. What was taken in is moved to
    `done_folder` where one is named. `every` are the seconds between two looks where the server has
    no IDLE, or `idle` is off, and before a broken connection is tried again.
    """

    host: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["tls", "starttls"] = "tls"
    user: str = Field(min_length=1)
    password_file: Path
    ca_file: Path | None = None
    folder: str = Field(default="INBOX", min_length=1)
    done_folder: str | None = Field(default=None, min_length=1)
    vendor: str = Field(min_length=1, description="the vendor whose BAA covers this mailbox, as `crm vendor` names it")
    idle: bool = True
    every: int = Field(default=60, ge=5, le=3600)

    @model_validator(mode="after")
    def _not_into_itself(self) -> Self:
        if self.done_folder == self.folder:
            raise ValueError("done_folder is the folder itself; name another, or none")
        return self


MailboxName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
AnyGateway = SmtpTable | TwilioTable | SpoolTable
GatewayTable = Annotated[AnyGateway, Field(discriminator="kind")]


class _Store(_Table):
    url: str = EMBEDDED
    password_file: Path | None = None


class _Key(_Table):
    source: KeySource = KeySource.KEYRING


class _Audit(_Table):
    anchor: Path = Path("anchor.jsonl")


class _Playbook(_Table):
    name: str = "primary_care"


class _Console(_Table):
    lock_seconds: int = Field(default=LOCK_SECONDS, ge=30, le=900)
    deliver: bool = True


class _File(_Table):
    store: _Store = _Store()
    key: _Key = _Key()
    audit: _Audit = _Audit()
    playbook: _Playbook = _Playbook()
    console: _Console = _Console()
    gateway: dict[str, GatewayTable] = {}
    mailbox: dict[MailboxName, MailboxTable] = {}
    listen: ListenTable = ListenTable()
    keys: dict[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What crm.toml says, with every path absolute.

    `store_url` holds a database password where there is one, so it is kept out of the repr.
    `console_delivers`: a console that is open while no other poller lives does what pollers do.
    `gateways` maps a channel's word ("email", "sms") to its table, `mailboxes` a name to its. `keys`
    maps a command of the console to the key that takes the place of its own.
    """

    home: Path
    store_url: str = field(repr=False)
    key_source: KeySource = KeySource.KEYRING
    playbook: str = "primary_care"
    anchor: Path
    lock_seconds: int = LOCK_SECONDS
    console_delivers: bool = True
    gateways: Mapping[str, AnyGateway] = field(default_factory=dict)
    mailboxes: Mapping[str, MailboxTable] = field(default_factory=dict)
    listen: ListenTable = field(default_factory=ListenTable)
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path | None:
        """The embedded store's file; None where the store is a server."""
        prefix = "sqlite:///"
        return Path(self.store_url.removeprefix(prefix)) if self.store_url.startswith(prefix) else None

    @property
    def key_file(self) -> Path:
        """The 0600 file of the master key, where the key's source is `file`."""
        return self.home / "crm.key"

    @property
    def log_file(self) -> Path:
        """Incidents and driver states, without values."""
        return self.home / "crm.log"

    @property
    def store_label(self) -> str:
        """The store's address as it may be shown: without user or password."""
        parts = urlsplit(self.store_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def find_home(given: Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """The home to use: `given`, or CRM_HOME, or the platform's user data folder."""
    environ = os.environ if environ is None else environ
    if given is not None:
        return given.expanduser().absolute()
    if environ.get("CRM_HOME"):
        return Path(environ["CRM_HOME"]).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("crm", appauthor=False)


def read_settings(home: Path) -> Settings:
    """The settings of `home`; refuses a home that others may read.

    Raises StoreMissing without a crm.toml, BadSettings naming every mistake, TooOpen.
    """
    file = home / FILE
    if not file.is_file():
        raise StoreMissing(home=home)
    refuse_open(home)
    return parse_settings(home, file)


def parse_settings(home: Path, file: Path) -> Settings:
    """`read_settings` without the look at modes, for `crm doctor`."""
    try:
        parsed = _File.model_validate(tomllib.loads(file.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(file=file, problems=str(error)) from None
    except OSError as error:
        raise Unavailable(what=str(file), remedy=f"it cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise BadSettings(file=file, problems="; ".join(_problem(e) for e in error.errors())) from None
    return Settings(
        home=home,
        store_url=_store_url(home, parsed.store),
        key_source=parsed.key.source,
        playbook=parsed.playbook.name,
        anchor=home / parsed.audit.anchor.expanduser(),
        lock_seconds=parsed.console.lock_seconds,
        console_delivers=parsed.console.deliver,
        listen=absolute_throughout(home, parsed.listen),
        keys=dict(parsed.keys),
        gateways={name: _absolute(home, table) for name, table in parsed.gateway.items()},
        mailboxes={name: _absolute(home, table) for name, table in parsed.mailbox.items()},
    )


_AnyTable = TypeVar("_AnyTable", bound=_Table)


def _problem(error: object) -> str:
    assert isinstance(error, dict)
    steps = [str(part) for part in error["loc"]]
    if steps[0] == "gateway" and steps[2:] and steps[2] in ("smtp", "spool", "twilio"):
        del steps[2]  # by which kind of gateway it was read is no part of the file
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{'.'.join(steps)}: {said[:1].lower()}{said[1:]}"


def _absolute(home: Path, table: _AnyTable) -> _AnyTable:
    paths = {name: home / value.expanduser() for name, value in table if isinstance(value, Path)}
    return table.model_copy(update=paths)


def _store_url(home: Path, store: _Store) -> str:
    if store.url.startswith("sqlite:///"):
        return f"sqlite:///{home / store.url.removeprefix('sqlite:///')}"
    if store.password_file is None:
        return store.url
    password = quote(read_secret(home / store.password_file.expanduser()), safe="")
    parts = urlsplit(store.url)
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}"))


def read_secret(path: Path) -> str:
    """The first line of a password file; refused while other accounts may read it."""
    _refuse_mode(path)
    try:
        return path.read_text("utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        raise SecretUnreadable(path=path) from None


def write_private(path: Path, text: str) -> None:
    """Create `path` with mode 0600, whole or not at all; an existing file is replaced."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def write_settings(
    home: Path, *, url: str = EMBEDDED, key: KeySource, playbook: str, password_file: str | None = None
) -> Path:
    """Write a new home's crm.toml, with what may be changed by hand as comments; returns its path."""
    password = f"password_file = {json.dumps(password_file)}\n" if password_file else ""
    file = home / FILE
    write_private(
        file,
        NEW_FILE.format(url=json.dumps(url), password=password, key=key.value, playbook=json.dumps(playbook)),
    )
    return file


def open_to_others(home: Path) -> list[tuple[Path, int]]:
    """What in `home` other accounts may read or write, with its mode; the home itself first."""
    wide = []
    for path in [home, *sorted(home.iterdir())]:
        try:
            mode = path.stat().st_mode & 0o777
        except FileNotFoundError:
            continue  # a store's -wal and -shm come and go
        if mode & 0o077:
            wide.append((path, mode))
    return wide


def refuse_open(home: Path) -> None:
    """Raise TooOpen while anything in `home` is open to other accounts."""
    for path, mode in open_to_others(home):
        raise TooOpen(path=path, mode=f"{mode:04o}")


def close_to_others(home: Path) -> list[Path]:
    """Take group's and others' rights from everything in `home`; returns what was changed."""
    changed = []
    for path, mode in open_to_others(home):
        path.chmod(mode & 0o700)
        changed.append(path)
    return changed


def _refuse_mode(path: Path) -> None:
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        raise SecretUnreadable(path=path) from None
    if mode & 0o077:
        raise TooOpen(path=path, mode=f"{mode:04o}")
