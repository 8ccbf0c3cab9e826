"""One conversation: with whom, what was said, who is next, and everything that can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.types import CSSPathType
from typing_extensions import override

from crm_tui.commands import Command, Group, bindings, command
from crm_tui.desk.lanes import CrmError, OpenConversation, State, Topic, is_complaint
from crm_tui.screens.company import InCompany
from crm_tui.screens.console_screen import ROOMY
from crm_tui.screens.files import Files
from crm_tui.screens.looking_up import LooksUp
from crm_tui.screens.moments import on_offer
from crm_tui.screens.planning_notices import PlansNotices
from crm_tui.screens.sending_later import SendsLater
from crm_tui.screens.showing import also_open, conversation_name, entries, identity_of, moment, next_step
from crm_tui.screens.text_length import said_length
from crm_tui.screens.verbs import Subject
from crm_tui.terminal import one_line, plain
from crm_tui.widgets.choice import Choice, Pick, Picked
from crm_tui.widgets.company_line import CompanyLine
from crm_tui.widgets.composer import Composer
from crm_tui.widgets.identity import IdentityBar
from crm_tui.widgets.line import Line
from crm_tui.widgets.status_line import StatusLine
from crm_tui.widgets.template_picker import TemplatePicker
from crm_tui.widgets.thread_view import ThreadView


class Start(Enum):
    """What is to be begun once the conversation is on the screen."""

    READ = 0
    REPLY = 1
    TEMPLATE = 2
    NOTE = 3
    RESTORE = 4
    """Put the text that was just taken back into the composer."""
    CALL = 5


class ConversationScreen(Files, LooksUp, InCompany, SendsLater, PlansNotices):
    """The screen of the work loop."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["console_screen.tcss", "conversation.tcss"]
    WATCHES = frozenset({Topic.INBOX, Topic.ALARM, Topic.OUTBOX})
    FOOTER = (
        "take_next", "reply", "template", "back", "close", "undo", "help", "note", "log_call", "claim", "move_lane",
        "escalate", "snooze", "why",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = bindings("previous_record", "next_record", "take_next_here")

    def __init__(self, conversation_id: int, *, start: Start = Start.READ) -> None:
        super().__init__()
        self._conversation_id = conversation_id
        self._start = start
        self._loaded = False

    @property
    def conversation_id(self) -> int:
        """Which one this is."""
        return self._conversation_id

    @override
    def notice_is_for(self) -> int | None:
        return self.opened.conversation.patient_id if self.opened is not None else None

    def compose_body(self) -> ComposeResult:
        """Who, what was said, what is written, who is next."""
        now = self.console.now
        yield IdentityBar(id="who")
        yield Line(id="also-open")
        yield ThreadView(now=now, zone=self.session.choices.zone)
        yield Vertical(id="writing")
        yield Composer(guard=self.console.guard, measure=said_length)
        yield CompanyLine(now=now)
        yield StatusLine(now=now)

    def on_mount(self) -> None:
        """Close the keys until it is on the screen, and open it."""
        self.console.guard.changed(("opening", self.conversation_id))
        self.context(conversation_name(self.conversation_id))
        self.mask(masked=self.console.masked)
        self.query_one(ThreadView).focus()
        self.look_again()

    def on_screen_resume(self) -> None:
        """Another conversation may have been on the screen meanwhile: let this one be seen before a key counts."""
        if self.identity is not None and self.console.session is not None:
            self._show_identity()

    def look_again(self) -> None:
        """Open it anew."""
        self.read("conversation", lambda: self.desk.open(self.conversation_id), self._show, self._not_opened)

    def _not_opened(self, error: CrmError) -> None:
        if not self._loaded:
            self.console.leave(self)
        self.console.told(error)

    def _show(self, opened: OpenConversation) -> None:
        shown, first = opened.conversation, not self._loaded
        # What was merged meanwhile leads to the one that was kept.
        self._conversation_id = shown.id
        newer = self._seen is not None and opened.seen_message_id != self._seen
        self.opened, self.identity, self._loaded = opened, identity_of(opened), True
        if first or self._seen is None or not self.has_draft:
            self._seen, self._seen_patient = opened.seen_message_id, shown.patient_id
        elif self._seen_patient is not None and shown.patient_id != self._seen_patient:
            self.flash("It is with another patient now; read whom this goes to before you send.", "warning")
        elif newer:
            self.flash("A newer message has come in; read it before you send.", "warning")
        self._show_identity()
        thread = self.query_one(ThreadView)
        thread.show_thread(entries(shown, self.identity.name, self.session.choices.zone), keep_place=not first)
        if newer:
            thread.action_last()
        also = self.query_one("#also-open", Line)
        also.show(plain(also_open(opened.also_open), "$warning"))
        also.display = bool(opened.also_open)
        self.query_one(StatusLine).show_step(next_step(shown, self.session.choices.zone))
        facts = (shown.category.replace("_", " "), shown.priority.value) if self.size.width >= ROOMY else ()
        self.context(" · ".join(one_line(fact) for fact in (conversation_name(shown.id), shown.lane_title, *facts)))
        if first:
            self._begin(opened)

    def _show_identity(self) -> None:
        assert self.identity is not None
        self.query_one("#who", IdentityBar).show_identity(self.identity, masked=self.console.masked)
        who = (self.conversation_id, self.identity.patient, self.identity.name, self.identity.number)
        guard = self.console.guard
        if guard.changed(who):
            self.call_after_refresh(guard.painted, who)
        if self.composer.display:
            self.composer.show_identity(self.identity)

    def _begin(self, opened: OpenConversation) -> None:
        start, self._start = self._start, Start.READ
        if start is Start.RESTORE:
            self.restore_taken_back()
        else:
            self.restore(opened)
        if start is Start.REPLY:
            self.do_reply()
        elif start is Start.NOTE:
            self.do_note()
        elif start is Start.TEMPLATE:
            self.do_template()
        elif start is Start.CALL:
            self.do_log_call()

    def restore_taken_back(self) -> None:
        """Put my last text that was taken back into the composer again."""
        assert self.opened is not None
        for message in reversed(self.opened.conversation.messages):
            if message.delivery is not None and message.delivery.value == "taken_back":
                self.take_back(str(message.body))
                return

    def mask(self, *, masked: bool) -> None:
        """Mask who it is and what was written."""
        self.query_one(ThreadView).masked = masked
        self.composer.masked = masked
        self.set_class(masked, "-masked")
        self.call_after_refresh(self.focus_text)
        self.query_one("#who", IdentityBar).show_identity(self.identity, masked=masked)

    # Commands

    @override
    async def action_command(self, command_id: str) -> None:
        # Keys typed at the patient before are no wish about this one (domain.md, Wrong patient).
        if command(command_id).group in (Group.ACT, Group.ALARM) and not self.console.guard.is_open:
            return
        await super().action_command(command_id)

    @override
    def why_not(self, command: Command) -> str | None:
        if self.opened is None and command.group is Group.ACT:
            return "Still opening; a moment."
        return super().why_not(command)

    def subjects(self) -> tuple[Subject, ...]:
        """The conversation itself."""
        if self.opened is None:
            return ()
        shown = self.opened.conversation
        return (
            Subject(
                conversation_id=shown.id,
                name=one_line(self.identity.name) if self.identity is not None else "",
                patient_id=shown.patient_id,
                lane=shown.lane,
                owner_id=shown.owner_id,
                danger=shown.danger,
                complaint=is_complaint(shown.category, shown.lane),
            ),
        )

    def acted(self) -> None:
        """Show it as it is now."""
        self.look_again()

    def more_reasons(self) -> Sequence[str]:
        """Why each message went, or did not."""
        if self.opened is None:
            return ()
        zone = self.session.choices.zone
        return [
            f"Message of {moment(message.at, zone)}, {message.delivery.value.replace('_', ' ')}: {reason}"
            for message in self.opened.conversation.messages
            if message.delivery is not None
            for reason in message.why
        ]

    def do_back(self) -> None:
        """One layer back: the picker, the composer, then the screen; a draft is kept."""
        if self.query(TemplatePicker):
            self.on_template_picker_cancelled()
        elif self.composer.display:
            self.leave_composer()
        else:
            self.console.leave(self)

    def do_previous_record(self) -> None:
        """The one above it in the queue."""
        self.console.open_neighbour(self.conversation_id, -1)

    def do_next_record(self) -> None:
        """The one below it in the queue."""
        self.console.open_neighbour(self.conversation_id, 1)

    def do_take_next(self) -> None:
        """Take the next; this one is not left without a next action."""
        self._after_this(None)

    def do_take_next_here(self) -> None:
        """Take the next of this lane."""
        self._after_this(self.opened.conversation.lane if self.opened is not None else None)

    @property
    def is_unfinished(self) -> bool:
        """Whether it is in my hands and nothing was decided about it."""
        if self.opened is None:
            return False
        shown = self.opened.conversation
        return shown.owner_id == self.session.staff_id and shown.state in (State.NEW, State.OPEN)

    def _after_this(self, lane: str | None) -> None:
        if not self.is_unfinished:
            self.console.take_next(lane)
            return
        zone, number = self.session.choices.zone, self.conversation_id
        offered = {one.id: one for one in on_offer(self.desk.now(), zone)}
        skips = dict(self.session.choices.skip_reasons)
        picks = [
            Pick(id=one.id, name=f"Come back to it: {one.name}", hint=moment(one.at, zone), needs_text=True)
            for one in offered.values()
        ]
        picks += [Pick(id=code, name=f"Give it back: {title}") for code, title in skips.items()]

        def answered(picked: Picked | None) -> None:
            if picked is None:
                return
            if picked.id in skips:
                self.console.skipped.add(number)
                self.console.write(lambda: self.desk.skip(number, picked.id), lambda _: self.console.take_next(lane))
                return
            at = offered[picked.id].at
            self.console.write(
                lambda: self.desk.snooze(number, at, picked.text), lambda _: self.console.take_next(lane)
            )

        title = f"{conversation_name(number)} is unfinished: what happens with it?"
        hint = "enter takes, then say what is to be done · esc stays with it"
        self.app.push_screen(Choice(title, picks, hint=hint), answered)
