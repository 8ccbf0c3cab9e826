"""A Twilio of the outside world: it keeps messages, and speaks its REST protocol over HTTP on a socket.

`python -m tests.channels.gateways.fake_twilio PORT` runs it by itself, to try a home against. Then every
look at a text moves it on, and `curl -d From=+12125550101 -d Body=Hello localhost:PORT/arrive` lets one come in.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

ACCOUNT = "AC" + "a" * 32
TOKEN = "an-auth-token"
NUMBER = "+15550001000"
SERVICE = "MG" + "b" * 32


@dataclass
class Kept:
    """One message as it lies there. What comes next is popped from `journey` at each look.

    `dated` stands in place of its dates.
    """

    sid: str
    to: str
    sender: str
    body: str
    status: str
    inbound: bool
    at: datetime
    service: str | None = None
    code: int | None = None
    journey: deque[tuple[str, int | None]] = field(default_factory=deque)
    media: list[tuple[str, str, bytes]] = field(default_factory=list)
    queued: bool = False
    dated: str | None = None

    def document(self) -> dict[str, Any]:
        """As Twilio answers it."""
        moment = self.dated or format_datetime(self.at.astimezone(UTC))
        return {
            "sid": self.sid,
            "account_sid": ACCOUNT,
            "to": self.to,
            "from": self.sender,
            "body": self.body,
            "status": self.status,
            "direction": "inbound" if self.inbound else "outbound-api",
            "messaging_service_sid": self.service,
            "num_media": str(len(self.media)),
            "num_segments": "1",
            "error_code": self.code,
            "error_message": None,
            "date_created": moment,
            "date_updated": moment,
            "date_sent": None if self.queued else moment,
            "price": None,
            "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{self.sid}.json",
        }


class FakeTwilio(ThreadingHTTPServer):
    """`moods` is how the next posts are treated, then kindly: see `_Handler`. `hidden`: the list shows nothing yet.

    `unreadable` are ids whose text is answered with what is none.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC), port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.now = now
        self.messages: list[Kept] = []
        self.moods: deque[str] = deque()
        self.journey: tuple[tuple[str, int | None], ...] = ()
        self.hidden = False
        self.unreadable: set[str] = set()
        self.largest_page = 1000
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.lock = threading.Lock()
        self._numbers = 0

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def sent(self) -> list[Kept]:
        """What was handed over, the oldest first."""
        return [one for one in self.messages if not one.inbound]

    def arrive(self, sender: str, body: str, to: str = NUMBER, **more: Any) -> Kept:
        """A text comes in."""
        values = {"status": "received", "inbound": True, "at": self.now(), **more}
        return self.keep(Kept(sid=self.new_sid("SM"), to=to, sender=sender, body=body, **values))

    def keep(self, one: Kept) -> Kept:
        """One more lies there."""
        with self.lock:
            self.messages.append(one)
        return one

    def new_sid(self, kind: str) -> str:
        """An id that was never given."""
        with self.lock:
            self._numbers += 1
            return f"{kind}{self._numbers:032x}"


class _Handler(BaseHTTPRequestHandler):
    """Moods of a post: `busy SECONDS` (429), `refuse CODE`, `status CODE` without taking it, `drop` (takes it and
    hangs up), `deaf` (hangs up and takes nothing), `mute CODE` (takes it and answers with that status)."""

    server: FakeTwilio
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Hand one over, or let one come in."""
        length = int(self.headers.get("Content-Length", 0))
        form = {name: values[-1] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        if self.path == "/arrive":
            self._answer(201, self.server.arrive(form["From"], form.get("Body", ""), form.get("To", NUMBER)).document())
            return
        self.server.asked.append(("POST", self.path, form))
        if self._refused():
            return
        mood, _, word = (self.server.moods.popleft() if self.server.moods else "kind").partition(" ")
        if mood == "busy":
            self._answer(429, {"code": 20429, "status": 429}, {"Retry-After": word})
        elif mood == "refuse":
            self._answer(400, {"code": int(word), "message": f"about {form['To']}", "status": 400})
        elif mood == "status":
            self._answer(int(word), {"status": int(word)})
        elif mood == "deaf":
            self._hang_up()
        else:
            self._take(form, mood, word)

    def _take(self, form: dict[str, str], mood: str, word: str) -> None:
        taken = self.server.keep(
            Kept(
                sid=self.server.new_sid("SM"),
                to=form["To"],
                sender=form.get("From", NUMBER),
                body=form["Body"],
                status="queued",
                inbound=False,
                at=self.server.now(),
                service=form.get("MessagingServiceSid"),
                journey=deque(self.server.journey),
                queued=True,
            )
        )
        if mood == "drop":
            self._hang_up()
        elif mood == "mute":
            self._answer(int(word), {"status": int(word)})
        else:
            self._answer(201, taken.document())

    def do_GET(self) -> None:
        """Answer a question."""
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.server.asked.append(("GET", parts.path, query))
        steps = parts.path.removeprefix(f"/2010-04-01/Accounts/{ACCOUNT}").split("/")[1:]
        if parts.path.startswith("/elsewhere/"):
            self._elsewhere(steps[-1])
        elif self._refused():
            return
        elif steps == []:
            self._answer(200, {"sid": ACCOUNT, "status": "active"})
        elif steps == ["Messages.json"]:
            self._list(query)
        elif len(steps) == 2:
            self._look(steps[1].removesuffix(".json"))
        elif steps[2] == "Media.json":
            files = next(one.media for one in self.server.messages if one.sid == steps[1])
            self._answer(200, {"media_list": [{"sid": sid, "content_type": kind} for sid, kind, _ in files]})
        else:
            port = self.server.server_address[1]
            self._answer(307, {}, {"Location": f"http://localhost:{port}/elsewhere/{steps[3]}"})

    def _list(self, query: dict[str, str]) -> None:
        found = [one for one in reversed(self.server.messages) if one.inbound or not self.server.hidden]
        since = datetime.fromisoformat(query["DateSent>"]) if "DateSent>" in query else None
        found = [
            one
            for one in found
            if query.get("To", one.to) == one.to
            and query.get("From", one.sender) == one.sender
            and (since is None or (not one.queued and one.at.replace(microsecond=0) >= since))
        ]
        size = min(int(query["PageSize"]), self.server.largest_page)
        page = int(query.get("Page", 0))
        more = len(found) > (page + 1) * size
        following = f"{urlsplit(self.path).path}?{urlencode({**query, 'Page': page + 1})}" if more else None
        shown = [one.document() for one in found[page * size : (page + 1) * size]]
        self._answer(200, {"messages": shown, "page": page, "page_size": size, "next_page_uri": following})

    def _look(self, sid: str) -> None:
        found = next((one for one in self.server.messages if one.sid == sid), None)
        if sid in self.server.unreadable:
            self._answer(200, {"sid": sid})
            return
        if found is None:
            self._answer(404, {"code": 20404, "status": 404})
            return
        if found.journey:
            found.status, found.code = found.journey.popleft()
            found.queued = False
        self._answer(200, found.document())

    def _elsewhere(self, media_sid: str) -> None:
        """Files lie on another host, which must not be shown the login."""
        kind, content = next(
            (kind, content) for one in self.server.messages for sid, kind, content in one.media if sid == media_sid
        )
        known = self.headers.get("Authorization") is not None
        self._bytes(403 if known else 200, kind, b"" if known else content)

    def _refused(self) -> bool:
        wanted = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") == wanted:
            return False
        self._answer(401, {"code": 20003, "status": 401})
        return True

    def _answer(self, status: int, document: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._bytes(status, "application/json", json.dumps(document).encode(), headers)

    def _bytes(self, status: int, kind: str, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def fake_twilio(now: Callable[[], datetime] = lambda: datetime.now(UTC), port: int = 0) -> Iterator[FakeTwilio]:
    """One that listens."""
    with FakeTwilio(now, port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    with fake_twilio(port=int(sys.argv[1])) as running:
        running.journey = (("sent", None), ("delivered", None))
        threading.Event().wait()
