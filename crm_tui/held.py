"""What was sent and can still be taken back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from crm_tui.ids import Kind, show_id


@dataclass(frozen=True, kw_only=True)
class Done:
    """Something this console did and can undo; `until` is the monotonic time to which a text is held.

    `act` names what was done to several at once, of which `conversation_id` is one.
    """

    conversation_id: int
    what: str
    until: float | None = None
    act: int | None = None


class DoneHere:
    """The verbs of this session in order, so that `z` takes back the last of them."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._done: list[Done] = []

    def add(self, conversation_id: int, what: str, *, held_for: float | None = None, act: int | None = None) -> None:
        """Note what was just done."""
        until = None if held_for is None else self._monotonic() + held_for
        self._done.append(Done(conversation_id=conversation_id, what=what, until=until, act=act))

    def last(self) -> Done | None:
        """What `z` would take back; a text that has left is passed over."""
        now = self._monotonic()
        while self._done and self._done[-1].until is not None and self._done[-1].until <= now:
            self._done.pop()
        return self._done[-1] if self._done else None

    def taken_back(self, conversation_id: int, act: int, *, held: bool) -> None:
        """Forget what the journal took back: that act, or the last thing done there; `held` for a text."""
        fits = (
            done
            for done in reversed(self._done)
            if done.act == act
            or (done.act is None and done.conversation_id == conversation_id and (done.until is not None) is held)
        )
        found = next(fits, None)
        if found is not None:
            self._done.remove(found)

    def undone(self, done: Done) -> None:
        """Forget what was taken back, or cannot be."""
        if done in self._done:
            self._done.remove(done)

    def forget(self) -> None:
        """Forget everything, as the end of a session does."""
        self._done.clear()

    def countdown(self) -> str:
        """`C-12 held 9 s · z takes it back` for the text held last, or nothing."""
        now = self._monotonic()
        held = [done for done in self._done if done.until is not None and done.until > now]
        if not held:
            return ""
        newest = held[-1]
        assert newest.until is not None
        left = ceil(newest.until - now)
        more = f" · {len(held)} held" if len(held) > 1 else ""
        taken = " · z takes it back" if newest is self._done[-1] else " · z takes back what you did after it"
        return f"{show_id(Kind.CONVERSATION, newest.conversation_id)} goes out in {left} s{taken}{more}"
