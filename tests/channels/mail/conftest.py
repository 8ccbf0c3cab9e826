"""A real mail server (Dovecot) with a mailbox for each test, and a clinic that reads it."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient
from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.channels.mail.chore import MailChore
from crm_core.channels.mail.handing_in import hand_in
from crm_core.channels.model import Direction
from crm_core.channels.tables import Message
from crm_core.channels.vendors import add_vendor
from crm_core.settings import MailboxTable
from crm_core.timers.chore import TimersChore
from crm_core.timers.model import Tally
from tests.inbox.conftest import Clinic, clinic, read_once

__all__ = ["Box", "Dovecot", "MailClinic", "box", "clinic", "dovecot", "letter", "mail_clinic", "never", "read_once"]

PEER = Path(__file__).resolve().parents[4] / "shared" / "peers" / "dovecot"
VENDOR = "Example Mail"
BOXES = 200
"""Accounts that the server knows from its start: it does not notice at once when its file of them grows."""


def never() -> bool:
    """A poller that nobody stops."""
    return False


def letter(subject: str = "My bill", text: str = "Could you send it again?", **headers: str) -> EmailMessage:
    """A letter from Vera; a header named `message_id` is Message-ID, and an empty one is left out."""
    made = EmailMessage(policy=SMTP)
    said = {
        "From": "Vera Quill <vera@example.org>",
        "To": "frontdesk@clinic.example",
        "Subject": subject,
        "Date": "Mon, 23 Nov 2026 09:00:00 -0500",
        "Message-ID": f"<{abs(hash(subject)):x}@example.org>",
        **{name.title().replace("_", "-").replace("-Id", "-ID"): value for name, value in headers.items()},
    }
    for name, value in said.items():
        if value:
            made[name] = value
    made.set_content(text)
    return made


@dataclass
class Dovecot:
    """The running server; each `box` is an account of its own."""

    run: Path
    imap: int
    imaps: int
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def box(self, home: Path) -> Box:
        """A new, empty mailbox, and its password's file in `home`."""
        number = next(self._numbers)
        assert number <= BOXES
        user = f"box{number}"
        file = home / f"{user}-password"
        file.touch(mode=0o600)
        file.write_text(f"secret of {user}\n")
        return Box(server=self, user=user, password_file=file)


@dataclass
class Box:
    """One mailbox, and a connection of another program to it."""

    server: Dovecot
    user: str
    password_file: Path
    _other: IMAPClient | None = None

    def table(self, **changes: Any) -> MailboxTable:
        """Its settings, as crm.toml would hold them."""
        return MailboxTable.model_validate(
            {
                "host": "localhost",
                "port": self.server.imaps,
                "user": self.user,
                "password_file": self.password_file,
                "ca_file": self.server.run / "cert.pem",
                "vendor": VENDOR,
                "every": 5,
                **changes,
            }
        )

    @property
    def other(self) -> IMAPClient:
        """Somebody else's mail program, its folder just opened."""
        if self._other is None:
            trust = ssl.create_default_context(cafile=str(self.server.run / "cert.pem"))
            self._other = IMAPClient("localhost", self.server.imaps, ssl_context=trust, timeout=20)
            self._other.login(self.user, f"secret of {self.user}")
        self._other.select_folder("INBOX")
        return self._other

    def deliver(self, *letters: EmailMessage | bytes, folder: str = "INBOX") -> None:
        """Letters arrive."""
        for one in letters:
            self.other.append(folder, one if isinstance(one, bytes) else one.as_bytes())

    def flags(self, folder: str = "INBOX") -> list[set[bytes]]:
        """The flags of each letter, in order, but for \\Recent."""
        other = self.other
        other.select_folder(folder)
        found = other.get_flags(other.search("ALL"))
        return [set(flags) - {rb"\Recent"} for _, flags in sorted(found.items())]

    def close(self) -> None:
        """Log out."""
        if self._other is not None:
            self._other.logout()


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """The IMAP server that lies beside the project, started for this test process alone."""
    if not (PEER / "start.sh").is_file():
        pytest.skip(f"the IMAP server to try against is not here ({PEER})")
    run = Path(tempfile.mkdtemp(prefix="crm-dc-", dir="/tmp"))
    run.chmod(0o755)
    ports = {}
    for name in ("IMAP_PORT", "IMAPS_PORT"):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports[name] = free.getsockname()[1]
    environment = {**os.environ, **{name: str(port) for name, port in ports.items()}}
    shutil.copytree(PEER, run / "peer" / "dovecot")
    shutil.copy(PEER.parent / "peer.sh", run / "peer")
    accounts = (f"box{number}:{{PLAIN}}secret of box{number}\n" for number in range(1, BOXES + 1))
    (run / "peer" / "dovecot" / "users").write_text("".join(accounts))
    command = [run / "peer" / "dovecot" / "start.sh", run]
    # Not through pipes: what it leaves running would hold them open.
    with (run / "start.out").open("wb") as said:
        started = subprocess.run(command, env=environment, stdout=said, stderr=said, check=False, timeout=120)
    if started.returncode != 0:
        pytest.skip((run / "start.out").read_text().strip().splitlines()[-1])
    yield Dovecot(run=run, imap=ports["IMAP_PORT"], imaps=ports["IMAPS_PORT"])
    subprocess.run([PEER / "stop.sh", run], capture_output=True, check=False, timeout=60)
    shutil.rmtree(run, ignore_errors=True)


@pytest.fixture
def box(dovecot: Dovecot, tmp_path: Path) -> Iterator[Box]:
    """A mailbox of this test's own."""
    made = dovecot.box(tmp_path)
    yield made
    made.close()


@dataclass
class MailClinic:
    """The clinic with that mailbox as its front desk's."""

    clinic: Clinic
    box: Box

    def chore(self, name: str = "front_desk", **changes: Any) -> MailChore:
        """A poller's chore that reads the mailbox, by these settings."""
        return MailChore(self.clinic.crm.units, name, self.box.table(**changes), hand_in)

    def read(self, **changes: Any) -> Tally:
        """What `crm poll --once` does of it, and of what it brought."""
        chore = self.chore(**changes)
        tally = chore.run(never)
        chore.close()
        self.handle()
        return tally

    def handle(self) -> None:
        """Handle what was brought."""
        crm = self.clinic.crm
        TimersChore(crm.units, crm.timer_handlers).run(never)

    def messages(self) -> list[str]:
        """What came in, oldest first."""
        came = select(Message.body).where(Message.direction == Direction.IN).order_by(Message.id)
        with self.clinic.crm.read(SYSTEM) as unit, unit.listing("messages"):
            return [str(unit.open(row.body)) for row in unit.execute(came)]


@pytest.fixture
def mail_clinic(clinic: Clinic, box: Box) -> MailClinic:
    """The mailbox's vendor is under an agreement in date."""
    with clinic.crm.write(SYSTEM) as unit:
        add_vendor(unit, name=VENDOR, gateway="email", baa_from=date(2026, 1, 1), baa_until=date(2026, 12, 31))
    return MailClinic(clinic=clinic, box=box)
