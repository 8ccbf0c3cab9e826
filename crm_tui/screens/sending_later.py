"""In a conversation: an answer for a time to come, and a part of the thread that becomes a conversation of its own."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual.binding import BindingType

from crm_tui.commands import bindings
from crm_tui.desk.lanes import ConversationView, MessageView
from crm_tui.screens.showing import conversation_name, moment
from crm_tui.screens.writing import Writing
from crm_tui.terminal import one_line
from crm_tui.widgets.choice import Choice, Pick, Picked
from crm_tui.widgets.composer import Composer, Purpose

_TAKE_BACK = "take_back"
_BY_THE_RULES = "by_the_rules"


class SendsLater(Writing):
    """The part of a conversation's screen by which an answer waits for its time, and two needs are told apart."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("send_later", "split")

    def do_send_later(self) -> None:
        """Ask when what is written goes; where an answer is set to go, change its time or take it back."""
        composer, shown = self.composer, self.opened.conversation if self.opened is not None else None
        if composer.display and composer.purpose is Purpose.REPLY and composer.text.strip():
            why = composer.why_not_send()
            if why is not None:
                self.flash(why, "warning")
            else:
                self.ask_when("When does the answer in {} go?", composer.request_send)
        elif shown is not None and shown.sends_at is not None:
            self._change_what_is_set(shown)
        else:
            self.flash("r begins an answer; f6 then says when it goes.", "warning")

    def _change_what_is_set(self, shown: ConversationView) -> None:
        zone, number, threads = self.session.choices.zone, shown.id, self.session.threads
        assert shown.sends_at is not None

        def moved(at: datetime) -> None:
            words = f"Goes {moment(at, zone)}"
            self.write(lambda: threads.send_at_another_time(number, at), lambda _: self._planned_anew(words))

        def taken_back(_: str) -> None:
            self.write(lambda: threads.send_no_more(number), lambda _: self._planned_anew("Taken back: it is a draft"))

        extra = (Pick(id=_TAKE_BACK, name="Take it back", hint="its text is its author's draft again"),)
        title = f"{{}} goes {moment(shown.sends_at, zone)}. When instead?"
        self.ask_when(title, moved, extra=extra, other=taken_back)

    def _planned_anew(self, words: str) -> None:
        self.flash(words)
        self.acted()

    def on_composer_send_requested(self, event: Composer.SendRequested) -> None:
        """Set a reply for its time; what has none is sent or saved at once."""
        if event.at is None or event.purpose is Purpose.NOTE:
            super().on_composer_send_requested(event)
            return
        event.stop()
        if self._sending or self._template_is_gone(event):
            return
        self._sending = True
        number, text, at = event.conversation, event.text, event.at
        seen, whom = self._seen, self._seen_patient
        version = self._template.version_id if self._template is not None else None
        self.write(
            lambda: self.session.threads.send_later(
                number, text, at, seen_message_id=seen, seen_patient_id=whom, template_version_id=version
            ),
            lambda _: self._planned(number, at),
            self._not_written,
            self._sending_ended,
        )

    def _planned(self, number: int, at: datetime) -> None:
        when = moment(at, self.session.choices.zone)
        self.console.done.add(number, f"goes {when}")
        self._written(f"{conversation_name(number)} goes {when} · z takes it back · f6 changes it")

    # Two needs in one thread

    def do_split(self) -> None:
        """Ask from which message on, then where it goes."""
        if self.opened is None:
            return
        zone = self.session.choices.zone
        messages = [one for one in self.opened.conversation.messages if not (one.internal or one.apart)]
        picks = [
            Pick(
                id=str(one.id),
                name=f"{moment(one.at, zone)} {_who(one)}",
                hint=one_line(str(one.body)),
                refused="" if at else "nothing would be left before it",
            )
            for at, one in enumerate(messages)
        ]
        self._choose("Split {} from which message on?", picks[::-1], lambda from_: self._ask_its_lane(int(from_.id)))

    def _ask_its_lane(self, message_id: int) -> None:
        lanes = [Pick(id=lane, name=title) for lane, title in self.session.choices.lanes if lane != "physician_review"]
        by_rules = Pick(id=_BY_THE_RULES, name="Where the rules send it", hint="by what the patient said in it")

        def split(lane: Picked | None) -> None:
            if lane is None:
                return
            number, to = self.conversation_id, None if lane.id == _BY_THE_RULES else lane.id
            self.write(
                lambda: self.session.threads.split(number, message_id, to), lambda new: self._parted(number, new)
            )

        self.app.push_screen(Choice("Where does the new conversation go?", [by_rules, *lanes]), split)

    def _parted(self, number: int, new: int) -> None:
        self.console.done.add(number, "split")
        self.flash(f"{conversation_name(new)} is a conversation of its own now · z undoes")
        self.acted()


def _who(message: MessageView) -> str:
    return "patient" if message.direction is not None and message.direction.value == "in" else message.author or "we"
