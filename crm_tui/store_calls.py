"""Asking the store from a console: in thread workers, one answer back, and no error lost.

Reads of one group: the newest asked wins, an older answer is dropped. Writes run one after
another in the order asked, so that a draft kept late cannot outlive the sending of its text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from textual import work
from textual.message import Message
from textual.message_pump import MessagePump

from crm_tui import crash
from crm_tui.desk.entrance import CrmError

T = TypeVar("T")
Failed = Callable[[CrmError], None]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a call came to: a value, an error to tell, or an incident."""

    value: Any = None
    error: CrmError | None = None
    incident: crash.Incident | None = None


@dataclass(frozen=True, slots=True)
class _Call:
    """One call with what is to happen after it; `token` names the group's generation it belongs to."""

    run: Callable[[], Any]
    then: Callable[[Any], None] | None
    failed: Failed | None
    ended: Callable[[], None] | None = None
    token: tuple[str, int] | None = None


class StoreCalls(MessagePump):
    """The mixin by which the app calls a desk; everything it is told comes back on its own loop."""

    @dataclass
    class Answered(Message):
        """A worker is done."""

        call: _Call
        outcome: _Outcome

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._newest: dict[str, int] = {}
        self._waiting: deque[_Call] = deque()
        self._writing = False

    def read(
        self,
        group: str,
        run: Callable[[], T],
        then: Callable[[T], None],
        failed: Failed | None = None,
        ended: Callable[[], None] | None = None,
    ) -> None:
        """Ask for something; its answer is dropped once the same group asks again, or `drop` is called.

        `ended` is called first and in any case: dropped, failed or broken.
        """
        self._newest[group] = self._newest.get(group, 0) + 1
        self._run(_Call(run, then, failed, ended, (group, self._newest[group])))

    def write(
        self,
        run: Callable[[], T],
        then: Callable[[T], None] | None = None,
        failed: Failed | None = None,
        ended: Callable[[], None] | None = None,
    ) -> None:
        """Change something, after all that was asked to be changed before."""
        self._waiting.append(_Call(run, then, failed, ended))
        self._next_write()

    def drop(self, *groups: str) -> None:
        """Let no answer of these groups, or of any, arrive any more."""
        for group in groups or tuple(self._newest):
            self._newest[group] = self._newest.get(group, 0) + 1

    def told(self, error: CrmError) -> None:
        """Tell the user an error that no caller took care of."""
        raise NotImplementedError

    def broke(self, incident: crash.Incident) -> None:
        """Tell the user that something broke, by the incident's id alone."""
        raise NotImplementedError

    def _next_write(self) -> None:
        if self._waiting and not self._writing:
            self._writing = True
            self._run(self._waiting.popleft())

    @work(thread=True, group="store", exit_on_error=False, description="store")
    def _run(self, call: _Call) -> None:
        try:
            outcome = _Outcome(value=call.run())
        except CrmError as error:
            outcome = _Outcome(error=error)
        except Exception as error:  # noqa: BLE001 - the console stays; the incident says where to look
            outcome = _Outcome(incident=crash.record(error))
        self.post_message(self.Answered(call, outcome))

    def on_store_calls_answered(self, event: Answered) -> None:
        """Hand the answer over, unless it came too late to matter."""
        event.stop()
        call, outcome = event.call, event.outcome
        if call.ended is not None:
            call.ended()
        if call.token is None:
            self._writing = False
            self._next_write()
        elif self._newest[call.token[0]] != call.token[1]:
            return
        try:
            self._hand_over(call, outcome)
        except Exception as error:  # noqa: BLE001 - as above
            self.broke(crash.record(error))

    def _hand_over(self, call: _Call, outcome: _Outcome) -> None:
        if outcome.incident is not None:
            self.broke(outcome.incident)
        elif outcome.error is None:
            if call.then is not None:
                call.then(outcome.value)
        elif call.failed is not None:
            call.failed(outcome.error)
        else:
            self.told(outcome.error)
