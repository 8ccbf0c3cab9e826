"""The console: who is in, which screens are up, what every screen needs to know."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from typing_extensions import override

from crm_core.app import Crm, open_crm
from crm_core.errors import Unavailable, UsageError
from crm_core.settings import Settings
from crm_tui import crash
from crm_tui.commands import COMMANDS, Command, bindings
from crm_tui.delivering import Delivering, void
from crm_tui.desk.entrance import AlarmView, CrmError, CutOff, Entrance
from crm_tui.desk.lanes import Topic
from crm_tui.ringing import Ringing
from crm_tui.screens.alarms import AlarmsPanel
from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.screens.conversation import ConversationScreen, Start
from crm_tui.screens.entrance import EntranceScreen
from crm_tui.screens.lanes import LanesScreen
from crm_tui.screens.outbox import OutboxScreen
from crm_tui.screens.patient_record import PatientRecord
from crm_tui.screens.patient_search import PatientSearch
from crm_tui.taking_back import TakingBack
from crm_tui.widgets.alarm_line import AlarmState
from crm_tui.widgets.dialog import Dialog
from crm_tui.widgets.panels import HelpPanel
from crm_tui.widgets.progress_panel import ProgressPanel

_IN_ANY_STATE = frozenset({"quit", "theme"})


class CrmApp(Delivering, TakingBack, Ringing):
    """One console over one opened store."""

    TITLE = "crm"
    CSS = """
    ToastRack { dock: top; align: right top; margin-top: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("find_patient", "help", "curtain")
    clears_scrollback_on_exit = True

    @dataclass
    class Changed(Message):
        """The change feed says that something is different."""

        topics: frozenset[Topic]

    def __init__(self, crm: Crm, entrance: Entrance, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(crm, entrance, monotonic=monotonic)
        self.masked = False
        self.skipped: set[int] = set()
        """What this person gave back with a reason: `n` hands it to them no more."""
        self._taking = False
        self._alarms: tuple[AlarmView, ...] = ()
        self._stop_listening: Callable[[], None] = lambda: None

    def on_mount(self) -> None:
        """Listen, then look: nothing that happens in between is missed."""
        self._stop_listening = self.entrance.listen(lambda topics: void(self.post_message(self.Changed(topics))))
        self._look_at_alarms()
        self.set_keymap(dict(self.crm.settings.keys))
        self.start_delivering()

    def on_unmount(self) -> None:
        """Stop listening, and begin nothing more."""
        self._stop_listening()
        self.stop_delivering()

    # The change feed and the alarm line

    def on_crm_app_changed(self, event: Changed) -> None:
        """Alarms are looked at always; a screen when it is in view."""
        if event.topics & {Topic.ALARM, Topic.INBOX}:
            self._look_at_alarms()
        if Topic.POLLERS in event.topics:
            self.look_at_pollers()
        self.look_at_offers(event.topics)
        self.look_at_rings(event.topics)
        in_view = None if self.idle.is_locked else self.front
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.changed(event.topics, in_view=screen is in_view)

    def _look_at_alarms(self) -> None:
        self.read("alarms", self.entrance.alarms, self._show_alarms)

    def _show_alarms(self, alarms: list[AlarmView]) -> None:
        new = {one.alarm_id for one in alarms} - {one.alarm_id for one in self._alarms}
        self._alarms = tuple(alarms)
        oldest = min((one.raised_at for one in alarms), default=None)
        self.alarm = AlarmState(count=len(alarms), oldest_at=oldest)
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen | EntranceScreen) and screen.is_mounted:
                screen.show_alarm(self.alarm)
        if new:
            self.bell()

    @property
    def front(self) -> ConsoleScreen | None:
        """The topmost screen of the work, under whatever dialogs."""
        return next((one for one in reversed(self.screen_stack) if isinstance(one, ConsoleScreen)), None)

    @override
    def left(self) -> None:
        super().left()
        self.skipped.clear()

    @override
    def show_polling_trouble(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen) and screen.is_mounted:
                screen.show_polling(self.polling_trouble)

    # What went wrong

    @override
    def told(self, error: CrmError) -> None:
        if isinstance(error, CutOff):
            self.end_session(error.message)
        else:
            self.notify(error.message, severity="warning", timeout=7)

    @override
    def broke(self, incident: crash.Incident) -> None:
        self.notify(
            f"Something went wrong here; what was saved is kept. Tell your administrator: incident {incident.id}.",
            severity="error",
            timeout=12,
        )

    # Commands

    @override
    def why_not(self, command: Command) -> str | None:
        front = self.front
        return super().why_not(command) or (front.why_not(command) if front is not None else None)

    @override
    def refuse(self, command: Command, why: str) -> None:
        if self.front is not None:
            self.front.refuse(command, why)

    @override
    async def action_command(self, command_id: str) -> None:
        # At the door nothing but leaving is obeyed; a dialog is answered before another thing is begun.
        if self.is_inside or command_id in _IN_ANY_STATE:
            await super().action_command(command_id)

    @override
    def action_command_palette(self) -> None:
        if self.is_inside:
            super().action_command_palette()

    def leave(self, screen: ConsoleScreen) -> None:
        """Take a screen away; the lanes stay."""
        if screen is self.screen and not isinstance(screen, LanesScreen):
            self.pop_screen()

    def open_conversation(self, conversation_id: int, *, start: Start = Start.READ, over: bool = False) -> None:
        """Show a conversation in place of the one in view, or over it, so that esc leads back."""
        screen = ConversationScreen(conversation_id, start=start)
        if isinstance(self.screen, ConversationScreen) and not over:
            self.screen.keep_drafts()
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def open_neighbour(self, conversation_id: int, by: int) -> None:
        """Show the next or previous one of the queue."""
        for lanes in self.screen_stack:
            if isinstance(lanes, LanesScreen):
                found = lanes.neighbour(conversation_id, by)
                if found is not None:
                    self.open_conversation(found)
                elif self.front is not None:
                    self.front.flash("There is no further one in this lane.", "warning")

    def take_next(self, lane: str | None = None) -> None:
        """Claim the most urgent one that is free, and show it."""
        if self.session is None or self._taking:
            return
        desk = self.session.lanes
        self._taking = True

        def ended() -> None:
            self._taking = False

        def opened(found: int | None) -> None:
            if found is not None:
                self.open_conversation(found)
            elif self.front is not None:
                self.front.flash("Nothing waits that you may take.", "warning")

        skipped = frozenset(self.skipped)
        self.write(lambda: desk.take_next(lane, skipped=skipped), opened, ended=ended)

    def do_take_next(self) -> None:
        """Take the next anywhere."""
        self.take_next()

    def sent(self, conversation_id: int, held_for: float) -> None:
        """Count down until it goes."""
        self.done.add(conversation_id, "answered", held_for=held_for)
        self.deliver_in(held_for)
        self.tick()

    @override
    def say_taken_back(self, words: str) -> None:
        if self.front is not None:
            self.front.flash(words)

    def do_find_patient(self) -> None:
        """Search, then show the record."""
        if self.session is None or isinstance(self.screen, PatientSearch):
            return

        def found(patient_id: int | None) -> None:
            if patient_id is not None:
                self.push_screen(PatientRecord(patient_id))

        self.push_screen(PatientSearch(self.session.patients), found)

    def do_outbox(self) -> None:
        """What did not go."""
        if self.session is not None and not isinstance(self.screen, OutboxScreen):
            self.push_screen(OutboxScreen())

    def do_open_alarm(self) -> None:
        """Open the oldest danger, or say whom to fetch."""
        if self.session is None or not self._alarms:
            if self.front is not None:
                self.front.flash("No alarm is open.")
        elif self.session.is_clinician:
            self.open_conversation(self._alarms[0].conversation_id, over=True)
        else:
            self.push_screen(AlarmsPanel(self._alarms, self.now()))

    def do_help(self) -> None:
        """What the keys do here."""
        if not isinstance(self.screen, HelpPanel):
            self.push_screen(HelpPanel(self.commands_in_use))

    def do_curtain(self) -> None:
        """Mask identities, or show them."""
        self.masked = not self.masked
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.mask(masked=self.masked)
                screen.show_callers()
        if self.masked and isinstance(self.screen, Dialog) and not isinstance(self.screen, ProgressPanel):
            # It may name whom it is about, and nobody is to answer what they do not see.
            self.screen.dismiss(None)


def run(settings: Settings, *, os_user: str, login: str | None = None, served: bool = False) -> None:
    """Open the store and the console on it, until the user leaves."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Unavailable(what="The console", remedy="it needs a terminal; `crm --help` lists what works without one")
    unknown = sorted(set(settings.keys) - {one.id for one in COMMANDS})
    if unknown:
        raise UsageError(
            problem=f"crm.toml names keys for no command: {', '.join(unknown)}", remedy="docs/keys.md lists the ids"
        )
    crash.guard_process()
    with open_crm(settings) as crm:
        app = CrmApp(crm, Entrance(crm, os_user, login=login, served=served))
        try:
            app.run()
        finally:
            app.wait_for_delivery()
