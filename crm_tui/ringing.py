"""A console that shows who calls while the telephone rings."""

from __future__ import annotations

from typing_extensions import override

from crm_tui.desk.lanes import CrmError, Topic
from crm_tui.desk.ringing import RingCard, RingView
from crm_tui.handing_over import HandingOver
from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.screens.conversation import Start
from crm_tui.screens.entrance import EntranceScreen
from crm_tui.screens.patient_record import PatientRecord
from crm_tui.screens.patient_search import PatientSearch
from crm_tui.screens.ringing import Answered, RingPanel
from crm_tui.widgets.ring_line import Caller


class Ringing(HandingOver):
    """The mixin: looks at the feed's word, and takes away what has rung for too long.

    The digits of a call are asked for once, and only while a person looks: behind the curtain or
    the lock its count is all there is.
    """

    masked: bool
    _rings: tuple[RingView, ...] = ()
    _digits: dict[int, str]

    @property
    def callers(self) -> tuple[Caller, ...]:
        """What rings, as the line shows it."""
        return tuple(
            Caller(digits=self._digits.get(one.ring_id, ""), withheld=one.withheld, known=one.known, line=one.line)
            for one in self._rings
        )

    @property
    def hides_callers(self) -> bool:
        """Whether only their number is shown."""
        return self.masked or not self.is_inside

    @override
    def arrived(self) -> None:
        super().arrived()
        self._forget_rings()
        self.look_at_rings()

    @override
    def left(self) -> None:
        super().left()
        self._forget_rings()

    @override
    def tick(self) -> None:
        super().tick()
        if self._rings:
            self._show_rings(self._rings)

    def look_at_rings(self, topics: frozenset[Topic] = frozenset({Topic.RINGING})) -> None:
        """Look what rings, for somebody who may know."""
        if self.session is not None and Topic.RINGING in topics and self.session.ringing.may_see:
            self.read("ringing", self.session.ringing.rings, self._show_rings, lambda _: None)

    def _forget_rings(self) -> None:
        self._digits = {}
        self._rings = ()
        self.drop("ringing", "callers")

    def _show_rings(self, rings: tuple[RingView, ...]) -> None:
        now = self.now()
        self._rings = tuple(one for one in rings if now < one.fades_at)
        self._draw_rings()
        unknown = [one.ring_id for one in self._rings if one.ring_id not in self._digits and not one.withheld]
        if unknown and self.session is not None and not self.hides_callers:
            desk = self.session.ringing
            self.read("callers", lambda: desk.callers(unknown), self._know, lambda _: None)

    def _know(self, digits: dict[int, str]) -> None:
        self._digits |= digits
        self._draw_rings()

    def _draw_rings(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen | EntranceScreen) and screen.is_mounted:
                screen.show_callers()

    def do_ringing(self) -> None:
        """Show whom it may be."""
        if self.session is None or isinstance(self.screen, RingPanel):
            return
        if self.masked:
            self._say("The curtain is drawn; f2 opens it.")
        elif not self._rings:
            self._say("Nobody rings.")
        else:
            self.read("ring cards", self.session.ringing.cards, self._open_panel)

    def _open_panel(self, cards: tuple[RingCard, ...]) -> None:
        if not cards:
            self._say("It rings no longer.")
        elif self.is_inside and not isinstance(self.screen, RingPanel):
            self.push_screen(RingPanel(cards), self._answered)

    def _answered(self, answered: Answered | None) -> None:
        if answered is None or self.session is None:
            return
        if answered.logs:
            self._log_call(answered.ring_id, answered.patient_id)
        elif answered.patient_id is not None:
            self.push_screen(PatientRecord(answered.patient_id))
        else:
            self.push_screen(PatientSearch(self.session.patients), self._found)

    def _found(self, patient_id: int | None) -> None:
        if patient_id is not None:
            self.push_screen(PatientRecord(patient_id))

    def _log_call(self, ring_id: int, patient_id: int | None) -> None:
        assert self.session is not None
        desk = self.session.ringing

        def opened(conversation_id: int) -> None:
            self.open_conversation(conversation_id, start=Start.CALL, over=True)

        self.write(lambda: desk.call_with(ring_id, patient_id), opened, self._cannot)

    def _cannot(self, error: CrmError) -> None:
        self.told(error)

    def _say(self, words: str) -> None:
        front = next((one for one in reversed(self.screen_stack) if isinstance(one, ConsoleScreen)), None)
        if front is not None:
            front.flash(words, "warning")

    def open_conversation(self, conversation_id: int, *, start: Start = Start.READ, over: bool = False) -> None:
        """Show a conversation (the app's part)."""
        raise NotImplementedError
