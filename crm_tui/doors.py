"""Coming in, locking, leaving: the part of the console that knows who is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from typing_extensions import override

from crm_core.app import Crm
from crm_tui.commands import bindings
from crm_tui.desk.entrance import Doorway, Entered, Entrance
from crm_tui.held import DoneHere
from crm_tui.idle import Due, IdleWatch
from crm_tui.place import keep_place, read_place
from crm_tui.safe_app import SafeApp
from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.screens.entrance import EntranceScreen
from crm_tui.screens.lanes import LanesScreen
from crm_tui.screens.showing import moment
from crm_tui.signed_in import SignedIn, signed_in
from crm_tui.store_calls import StoreCalls
from crm_tui.widgets.alarm_line import AlarmState
from crm_tui.widgets.identity import IdentityGuard

_TICK = 1.0


class Doors(StoreCalls, SafeApp[None]):
    """An app with one person in it, or nobody, or somebody who has locked it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("lock", "quit")

    def __init__(self, crm: Crm, entrance: Entrance, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.crm = crm
        self.entrance = entrance
        self.session: SignedIn | None = None
        self.alarm = AlarmState()
        self.guard = IdentityGuard(monotonic=monotonic)
        self.done = DoneHere(monotonic=monotonic)
        self.idle = IdleWatch(crm.settings.lock_seconds, monotonic=monotonic)

    def now(self) -> datetime:
        """The core's time."""
        return self.entrance.now()

    @property
    def is_inside(self) -> bool:
        """Whether somebody has signed in and not locked."""
        return self.session is not None and not self.idle.is_locked

    def arrived(self) -> None:
        """Called when somebody has signed in."""

    def left(self) -> None:
        """Called when a session has ended, to forget what belonged to it."""

    def on_mount(self) -> None:
        """Begin to count, and ask who is there."""
        self.set_interval(_TICK, self.tick)
        self._ask_who(said="")

    def _ask_who(self, said: str) -> None:
        self.read(
            "doorway",
            self.entrance.doorway,
            lambda doorway: self._open_door(doorway, said),
            lambda error: self._open_door(None, error.message),
        )

    def _open_door(self, doorway: Doorway | None, said: str) -> None:
        self.push_screen(EntranceScreen(doorway, title="Sign in", said=said))

    def come_in(self, door: EntranceScreen, login: str, password: str | None) -> None:
        """Sign in, or unlock; called by the door."""
        enter = self.entrance.unlock if door.unlocks else self.entrance.enter

        def run() -> SignedIn:
            return signed_in(self.crm, login, enter(login, password))

        self.write(run, partial(self._came_in, door), door.refuse)

    def _came_in(self, door: EntranceScreen, session: SignedIn) -> None:
        if self.screen is not door:
            return
        unlocked = self.idle.is_locked
        self.session = session
        self.idle.unlock()
        self.pop_screen()
        self.guard.changed(door)
        if unlocked and isinstance(self.screen, ConsoleScreen):
            self.screen.look_again()
        elif not unlocked:
            self.push_screen(LanesScreen(read_place(self.crm.settings.home, session.staff_id)))
            self.call_after_refresh(self._greet, session.entered)
            self.arrived()

    def _greet(self, entered: Entered) -> None:
        assert self.session is not None
        zone = self.session.choices.zone
        last = entered.last_signed_in_at
        since = "Your first sign-in here" if last is None else f"Last signed in {moment(last, zone)}"
        times = entered.failed_since
        failed = f" · {times} failed attempt{'s' if times > 1 else ''} since" if times else ""
        if isinstance(self.screen, ConsoleScreen):
            mood = "warning" if times else "good"
            self.screen.flash(f"{since}{failed}", mood, seconds=8)  # type: ignore[arg-type]

    def do_lock(self) -> None:
        """Cover the screen; what is being written is kept."""
        if self.session is None or self.idle.is_locked:
            return
        session = self.session
        self._keep_all()
        self.idle.lock()
        self.clear_notifications()
        self.clear_scrollback()
        self.write(lambda: self.entrance.locked(session.entered.actor))
        has_password = session.has_password
        doorway = Doorway(login=session.login, name=session.name, needs_password=has_password)
        self.push_screen(EntranceScreen(doorway, title="Locked", unlocks=True))

    def end_session(self, said: str) -> None:
        """Take every screen away and ask who is there."""
        session, self.session = self.session, None
        self.drop()
        self.done.forget()
        self.left()
        self.idle.unlock()
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.clear_notifications()
        self.clear_scrollback()
        if session is not None:
            self.write(lambda: self.entrance.left(session.entered.actor))
        self._ask_who(said)

    async def do_quit(self) -> None:
        """End the session and the program; drafts are kept."""
        self._keep_all()
        session = self.session
        if session is None:
            self.exit()
        else:
            self.write(lambda: self.entrance.left(session.entered.actor), lambda _: self.exit(), lambda _: self.exit())

    def _keep_all(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.keep_drafts()
            if isinstance(screen, LanesScreen) and self.session is not None and screen.is_mounted:
                keep_place(self.crm.settings.home, self.session.staff_id, screen.place)

    @override
    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded:
            self.idle.touch()
        await super().on_event(event)

    def tick(self) -> None:
        """Lock or end when it is time, and count a held text down."""
        if self.session is None:
            return
        due = self.idle.due()
        if due is Due.LOCK:
            self.do_lock()
        elif due is Due.END:
            self._keep_all()
            self.end_session("The session ended after 15 minutes. Sign in again.")
            return
        held = self.done.countdown()
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.show_held(held)
