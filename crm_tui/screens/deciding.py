"""A number that may want no more texts, and an unknown sender who speaks for a patient: what a person decides."""

from __future__ import annotations

from collections.abc import Callable

from typing_extensions import override

from crm_tui.command import Command
from crm_tui.desk.consent import HeldNumber, SpokenFor
from crm_tui.ids import Kind, show_id
from crm_tui.screens.acting import Acting
from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.screens.patient_search import PatientSearch
from crm_tui.screens.showing import conversation_name
from crm_tui.widgets.choice import Choice, Pick, Picked

_SEARCH = "search"


_SHOWS_WHO = frozenset({"decide_number", "link_patient"})
"""What names a number or a patient before anything is done."""


class Decides(Acting):
    """A screen with conversations, whose numbers may be held."""

    @override
    def why_not(self, command: Command) -> str | None:
        if command.id in _SHOWS_WHO and self.console.masked:
            return "Identities are masked; f2 shows whose this is."
        return super().why_not(command)

    def do_decide_number(self) -> None:
        """Look whether its number is held, then ask."""
        subjects = self.subjects()
        if len(subjects) != 1:
            self.flash("One conversation at a time is decided about.", "warning")
            return
        number = subjects[0].conversation_id
        self.read("held", lambda: self.session.consent.held(number), lambda held: self._ask_to_decide(number, held))

    def _ask_to_decide(self, number: int, held: HeldNumber | None) -> None:
        if held is None:
            self.flash("Nobody has to decide about this number.", "warning")
            return
        waiting = f"{held.waiting} message{'s' if held.waiting != 1 else ''}"
        picks = (
            Pick(id="keep", name="Let it go on", hint=f"{waiting} queued again"),
            Pick(id="stop", name="No more texts", hint=f"{waiting} cancelled", needs_text=True),
        )

        def answered(picked: Picked | None) -> None:
            if picked is None:
                return
            stop = picked.id == "stop"
            self.write(
                lambda: self.session.consent.decide(held.contact_point_id, stop=stop, words=picked.text),
                lambda many: self._decided(many, stop=stop),
            )

        title = f"{conversation_name(number)}: ···{held.ends or ''} may want no more texts"
        hint = "enter takes; to stop, then say what it rests on · esc back"
        self.app.push_screen(Choice(title, picks, hint=hint), answered)

    def _decided(self, many: int, *, stop: bool) -> None:
        self.flash(f"The number gets no more texts; {many} cancelled" if stop else f"Goes on; {many} queued again")
        self.look_again()


def ask_whose(screen: ConsoleScreen, conversation_id: int, then: Callable[[int | None], None]) -> None:
    """Ask whose an unknown sender's conversation is: first those for whom somebody at that number may speak."""

    number = conversation_name(conversation_id)

    def search() -> None:
        screen.app.push_screen(PatientSearch(screen.session.patients, title=f"Whose is {number}?"), then)

    def offer(found: tuple[SpokenFor, ...]) -> None:
        if not found:
            search()
            return
        picks = [
            Pick(
                id=str(one.patient_id),
                name=f"{one.patient} {show_id(Kind.PATIENT, one.patient_id)}",
                hint=f"through {one.proxy} ({one.relation})",
            )
            for one in found
        ]
        picks.append(Pick(id=_SEARCH, name="Somebody else", hint="search"))

        def answered(picked: Picked | None) -> None:
            if picked is None:
                then(None)
            elif picked.id == _SEARCH:
                search()
            else:
                then(int(picked.id))

        screen.app.push_screen(Choice(f"Whose is {number}?", picks), answered)

    screen.read("spoken for", lambda: screen.session.consent.spoken_for(conversation_id), offer)
