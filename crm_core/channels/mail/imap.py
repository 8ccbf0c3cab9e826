"""One connection to a mailbox's server: verified TLS, limits of time, and only what reading letters needs.

The reasons of what fails are our own words, never the server's, which may repeat an address.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime

from imapclient import SEEN, IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError, LoginError

from crm_core.errors import CrmError
from crm_core.settings import MailboxTable, read_secret

CONNECT_LIMIT, ANSWER_LIMIT = 20.0, 30.0
"""Seconds for reaching the server, and for each answer of its."""
TICK = 1.0
"""Seconds of waiting for news after which the caller is asked whether to go on."""
WINDOW = 50_000
"""Numbers searched at once: the answer's line stays below the megabyte that imaplib takes."""
_FLAGGED, _DELETED = rb"\Flagged", rb"\Deleted"
_PORTS = {"tls": 993, "starttls": 143}


class Unreadable(CrmError):
    """The mailbox cannot be read now: {reason}; it is tried again later."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The folder as it is: letters have numbers below `uid_next`, which mean the same while `uid_validity` stays."""

    uid_validity: int
    uid_next: int
    writable: bool


@dataclass(frozen=True, kw_only=True)
class Lying:
    """A letter in the folder: its number, its bytes as it travels, when it came."""

    uid: int
    size: int
    came_at: datetime


class Imap:
    """A logged-in connection; Unreadable is all it raises. Not shared between threads."""

    def __init__(self, table: MailboxTable) -> None:
        self._table = table
        with _reasons("the mail server cannot be reached"):
            context = ssl.create_default_context(cafile=str(table.ca_file) if table.ca_file else None)
            self._client = IMAPClient(
                table.host,
                table.port or _PORTS[table.security],
                ssl=table.security == "tls",
                ssl_context=context,
                timeout=SocketTimeout(CONNECT_LIMIT, ANSWER_LIMIT),
            )
        try:
            with _reasons("the mail server broke off the login"):
                if table.security == "starttls":
                    self._client.starttls(context)
                self._log_in()
        except BaseException:
            self._shut()
            raise
        self._client.normalise_times = False

    def _log_in(self) -> None:
        """By SASL PLAIN where it is offered: LOGIN takes no password beyond ASCII."""
        try:
            user, password = self._table.user, read_secret(self._table.password_file)
        except CrmError as error:
            raise Unreadable(reason=f"its password file cannot be used ({type(error).__name__})") from None
        if self._client.has_capability("AUTH=PLAIN"):
            self._client.plain_login(user, password)
        else:
            self._client.login(user, password)

    @property
    def waits(self) -> bool:
        """Whether the server tells of news by itself (IDLE)."""
        with _reasons("the connection to the mail server was lost"):
            return bool(self._client.has_capability("IDLE"))

    def look(self) -> Folder:
        """The folder as it is now."""
        with _reasons("the folder cannot be opened"):
            seen = self._client.select_folder(self._table.folder)
            if b"UIDNEXT" not in seen or b"UIDVALIDITY" not in seen:
                raise Unreadable(reason="the mail server does not number its letters")
            return Folder(uid_validity=seen[b"UIDVALIDITY"], uid_next=seen[b"UIDNEXT"], writable=b"READ-WRITE" in seen)

    def numbers(self, first: int, last: int, *, unseen_or_since: date | None = None) -> list[int]:
        """The letters numbered `first` to `last`, in order; with a date only the unread ones and those since it."""
        wanted: list[object] = ["UID", f"{first}:{last}"]
        if unseen_or_since is not None:
            wanted += ["OR", "UNSEEN", "SINCE", unseen_or_since]
        with _reasons("the folder cannot be searched"):
            return sorted(uid for uid in self._client.search(wanted) if first <= uid <= last)

    def lying(self, uids: Sequence[int]) -> list[Lying]:
        """What these letters weigh; one that is gone meanwhile is left out."""
        with _reasons("letters cannot be fetched"):
            found = self._client.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
            return [
                Lying(uid=uid, size=facts[b"RFC822.SIZE"], came_at=_aware(facts.get(b"INTERNALDATE")))
                for uid, facts in sorted(found.items())
                if b"RFC822.SIZE" in facts
            ]

    def letter(self, uid: int, most: int | None = None) -> bytes | None:
        """A letter as it travels, or its first `most` bytes, without marking it; None where it is gone meanwhile."""
        part = "BODY.PEEK[]" if most is None else f"BODY.PEEK[]<0.{most}>"
        with _reasons("letters cannot be fetched"):
            facts = self._client.fetch([uid], [part]).get(uid, {})
            return next((value for name, value in facts.items() if name.startswith(b"BODY[]")), None)

    def mark_read(self, uids: Sequence[int]) -> None:
        """Mark letters as read."""
        with _reasons("letters cannot be marked as read"):
            self._client.add_flags(uids, [SEEN], silent=True)

    def flag(self, uids: Sequence[int]) -> None:
        """Flag letters for a person to look at."""
        with _reasons("letters cannot be marked"):
            self._client.add_flags(uids, [_FLAGGED], silent=True)

    def move(self, uids: Sequence[int], to: str) -> None:
        """Move letters to a folder, which is made where it is missing; without MOVE they are copied, then deleted.

        A server that has neither MOVE nor UIDPLUS leaves them where they are: deleting there
        would take other people's letters along.
        """
        with _reasons("letters cannot be moved to done_folder"):
            if not uids or not any(map(self._client.has_capability, ("MOVE", "UIDPLUS"))):
                return
            if not self._client.folder_exists(to):
                self._client.create_folder(to)
            if self._client.has_capability("MOVE"):
                self._client.move(uids, to)
                return
            self._client.copy(uids, to)
            self._client.add_flags(uids, [_DELETED], silent=True)
            self._client.uid_expunge(uids)

    def wait(self, go_on: Callable[[], bool], longest: float) -> None:
        """Wait in IDLE for news, for `longest` seconds at most, while `go_on`, which is asked every TICK, says so."""
        with _reasons("the connection to the mail server was lost"):
            self._client.idle()
            end = time.monotonic() + longest
            while go_on() and time.monotonic() < end:
                asked = time.monotonic()
                # Nothing, and too soon, is a connection that was closed: DONE finds out.
                if self._client.idle_check(timeout=TICK) or time.monotonic() - asked < TICK / 2:
                    break
            self._client.idle_done()

    def close(self) -> None:
        """Log out, without waiting for long."""
        with suppress(IMAPClientError, OSError):
            self._client.socket().settimeout(2.0)
            self._client.logout()
        self._shut()

    def _shut(self) -> None:
        with suppress(IMAPClientError, OSError):
            self._client.shutdown()


def _aware(came_at: object) -> datetime:
    now = datetime.now(UTC)
    if not isinstance(came_at, datetime):
        return now
    return min(came_at.astimezone(UTC), now)


@contextmanager
def _reasons(otherwise: str) -> Iterator[None]:
    """Turn all that breaks a conversation into Unreadable; `otherwise` where the error says no better."""
    try:
        yield
    except CrmError:
        raise
    except ssl.SSLCertVerificationError:
        raise Unreadable(reason="the mail server's certificate is not trusted") from None
    except ssl.SSLError:
        raise Unreadable(reason="no safe connection to the mail server") from None
    except LoginError:
        raise Unreadable(reason="the mail server refused the login") from None
    except CapabilityError:
        raise Unreadable(reason="the mail server offers no STARTTLS") from None
    except TimeoutError:
        raise Unreadable(reason="the mail server did not answer in time") from None
    except IMAPClientAbortError:
        raise Unreadable(reason=f"{otherwise}: it hung up") from None
    except (IMAPClientError, OSError, ValueError, LookupError, TypeError, AttributeError):
        # imaplib and IMAPClient fail in the last four ways on answers of no known form.
        raise Unreadable(reason=otherwise) from None
