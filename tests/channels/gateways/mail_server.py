"""A submission server on a real socket, whose answers a test chooses; it keeps what it accepted."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "crm", "right horse"


def make_certificate(folder: Path, host: str = "localhost") -> tuple[Path, Path]:
    """A self-signed certificate for `host` and 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if host == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{host}.pem", folder / f"{host}.key"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


@dataclass
class MailServer:
    """What the server answers, and what it saw."""

    starttls: bool = True
    implicit_tls: bool = False
    rcpt: str = "250 OK"
    data: str = "250 OK"
    cut: str | None = None
    letters: list[EmailMessage] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's names
        self,
        server: Any,
        session: Any,  # noqa: ARG002
        envelope: Any,
        address: str,
        options: list[str],  # noqa: ARG002
    ) -> str:
        if self.cut == "rcpt":
            server.transport.abort()
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802, ARG002
        if self.cut != "data-unkept" and self.data.startswith("250"):
            self.letters.append(message_from_bytes(envelope.content, policy=default))
        if self.cut in ("data", "data-unkept"):
            server.transport.abort()
        return self.data


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: object) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=True) if known else AuthResult(success=False, handled=False)


@contextmanager
def serving(state: MailServer, certificate: tuple[Path, Path]) -> Iterator[MailServer]:
    """Run the server in a thread of its own until the block ends."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    started = threading.Event()
    stop: list[Callable[[], object]] = []

    def session() -> SMTP:
        state.connections += 1
        return SMTP(
            state,
            tls_context=tls if state.starttls and not state.implicit_tls else None,
            require_starttls=state.starttls and not state.implicit_tls,
            authenticator=_authenticate,
            auth_required=state.starttls and not state.implicit_tls,
            auth_require_tls=not state.implicit_tls,
            enable_SMTPUTF8=True,
            hostname="localhost",
            loop=asyncio.get_running_loop(),
        )

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, _context: None)
        ended = asyncio.Event()
        stop.append(lambda: loop.call_soon_threadsafe(ended.set))
        server = await loop.create_server(session, "127.0.0.1", 0, ssl=tls if state.implicit_tls else None)
        state.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(10)
    try:
        yield state
    finally:
        stop[0]()
        thread.join(timeout=10)
