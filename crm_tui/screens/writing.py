"""Writing in a conversation: a reply, a reply from a template, an internal note; sending it, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Vertical

from crm_tui.commands import Command, bindings
from crm_tui.desk.lanes import (
    AnotherPatient,
    Answered,
    CrmError,
    Filled,
    NotThisTemplate,
    Offer,
    OpenConversation,
    SomethingNewer,
)
from crm_tui.screens.ask_text import AskText
from crm_tui.screens.showing import conversation_name
from crm_tui.screens.threads import ThreadVerbs
from crm_tui.widgets.composer import Composer, Purpose
from crm_tui.widgets.confirm import Confirm
from crm_tui.widgets.identity import Identity
from crm_tui.widgets.picking import ranked
from crm_tui.widgets.template_picker import TemplateOption, TemplatePicker
from crm_tui.widgets.thread_view import ThreadView

HELD_FOR = 15.0
"""Seconds for which a sent text may be taken back."""

_NOT_WITH_DRAFT = frozenset({"take_next", "take_next_here", "close", "move_lane", "escalate", "snooze", "relink"})


class Writing(ThreadVerbs):
    """The part of a conversation's screen that holds the composer and the template picker."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("reply", "template", "note", "discard", "send")

    def __init__(self) -> None:
        super().__init__()
        self.opened: OpenConversation | None = None
        self.identity: Identity | None = None
        self._seen: int | None = None
        self._seen_patient: int | None = None
        self._draft = ""
        self._draft_purpose = Purpose.REPLY
        self._template: Offer | None = None
        self._template_key = ""
        self._sending = False

    @property
    def conversation_id(self) -> int:
        """Which conversation this is."""
        raise NotImplementedError

    @property
    def composer(self) -> Composer:
        """Where it is written."""
        return self.query_one(Composer)

    @property
    def has_draft(self) -> bool:
        """Whether something begun here has not been sent or saved."""
        written = self.composer.text if self.composer.display else self._draft
        return bool(written.strip())

    def why_not(self, command: Command) -> str | None:
        """A draft is not to be left behind by what ends or moves the conversation."""
        if command.id in _NOT_WITH_DRAFT and self.has_draft:
            return "Your draft is unsent: r opens it, ctrl+s sends it, f8 discards it."
        if command.id in ("reply", "template") and self.console.masked:
            return "Identities are masked; f2 shows whom this goes to."
        return super().why_not(command)

    # Beginning to write

    def do_reply(self) -> None:
        """Write freely, going on with a draft where there is one."""
        self._write(Purpose.REPLY)

    def do_note(self) -> None:
        """Write what no patient sees."""
        self._write(Purpose.NOTE)

    def _write(self, purpose: Purpose, text: str | None = None) -> None:
        if self.identity is None:
            return
        if self.has_draft and purpose is not self._draft_purpose and text is None:
            begun = "reply" if self._draft_purpose is Purpose.REPLY else "note"
            self.flash(f"A {begun} is begun here: finish it, or f8 discards it.", "warning")
            purpose = self._draft_purpose
        if purpose is Purpose.REPLY and self.opened is not None and self.opened.to.refusal:
            self.notify(f"As it stands this cannot be sent: {self.opened.to.refusal}.", severity="warning")
        if self.composer.display and text is None:
            self.focus_text()
            return
        self._draft_purpose = purpose
        self._draft = self._draft if text is None else text
        self.composer.open(
            self.conversation_id, self.identity, purpose=purpose, text=self._draft, template=self._template_key
        )

    def restore(self, opened: OpenConversation) -> None:
        """Open the composer with the draft that was kept."""
        draft = opened.draft
        if draft is None or self.composer.display:
            return
        self._template_key = draft.template_key or ""
        self._write(Purpose.NOTE if draft.internal else Purpose.REPLY, str(draft.body))
        if draft.for_another:
            self.notify(
                "This draft was begun when another patient was meant: read it before you send.", severity="warning"
            )
        self.flash("Your draft is back · ctrl+s sends it · f8 discards it")
        self._ask_for_template()

    def _ask_for_template(self) -> None:
        """Find what the draft was made from, to name it and to do with the sending what it does."""
        if self._template_key:
            self.read("offers", lambda: self.desk.offers(self.conversation_id), self._find_template)

    def _find_template(self, offers: Sequence[Offer]) -> None:
        self._template = next((one for one in offers if one.key == self._template_key), None)
        self.composer.show_then(self._template.then or "" if self._template is not None else "")

    def take_back(self, text: str) -> None:
        """Put a text that was taken back into the composer again, with the template it was made from."""
        draft = self.opened.draft if self.opened is not None else None
        kept = draft is not None and not draft.internal and str(draft.body) == text
        self._template_key = (draft.template_key or "") if draft is not None and kept else ""
        self._write(Purpose.REPLY, text)
        self.desk_keeps(text)
        self._ask_for_template()

    # Templates

    def do_template(self) -> None:
        """Offer the templates, filled for this patient."""
        if self.identity is not None and not self.query(TemplatePicker):
            self.read("offers", lambda: self.desk.offers(self.conversation_id), self._show_picker)

    def _show_picker(self, offers: list[Offer]) -> None:
        if self.query(TemplatePicker):
            return
        if not offers:
            self.flash("No approved template can be sent here; r writes freely.", "warning")
            return
        self._offers = {one.key: one for one in offers}
        options = [_option(one) for one in offers]
        picker = TemplatePicker(lambda query: ranked(query, options, lambda one: f"{one.name} {one.category} {one.id}"))
        self.add_class("-picking")
        self.query_one("#writing", Vertical).mount(picker)

    def on_template_picker_cancelled(self) -> None:
        """None was wanted."""
        self._close_picker()

    def _close_picker(self) -> None:
        self.remove_class("-picking")
        self.query(TemplatePicker).remove()
        if self.composer.display:
            self.composer.query_one("#composer-text").focus()
        else:
            self.query_one(ThreadView).focus()

    def on_template_picker_chosen(self, event: TemplatePicker.Chosen) -> None:
        """Fill it, after asking for the personal sentence where it wants one."""
        event.stop()
        offer = self._offers[event.option.id]
        self._close_picker()

        def fill(personal: str | None) -> None:
            if personal is None and offer.needs_personal:
                return
            self.read(
                "filled",
                lambda: self.desk.filled(self.conversation_id, offer.key, personal),
                partial(self._insert, offer),
            )

        if offer.needs_personal:
            self.app.push_screen(AskText("A sentence of your own, for this patient", "what you say yourself"), fill)
        else:
            fill(None)

    def _insert(self, offer: Offer, filled: Filled) -> None:
        self._template, self._template_key = offer, offer.key
        if self.composer.display and self.composer.purpose is Purpose.REPLY:
            self.composer.insert_template(offer.key, filled.text)
        else:
            written = f"{filled.text}\n\n{self._draft}" if self._draft.strip() else filled.text
            self._write(Purpose.REPLY, written)
        self.composer.show_then(offer.then or "")
        self.desk_keeps(self.composer.text)

    # Drafts

    def on_composer_draft_changed(self, event: Composer.DraftChanged) -> None:
        """Keep it across crash and restart."""
        event.stop()
        self._draft = event.text
        number, internal = event.conversation, event.purpose is Purpose.NOTE
        self.console.write(
            lambda: self.desk.save_draft(number, event.text, internal=internal, template_key=event.template or None)
        )

    def desk_keeps(self, text: str) -> None:
        """Keep a text that was put into the composer, without waiting for a key."""
        number, template = self.conversation_id, self._template_key or None
        self._draft = text
        internal = self._draft_purpose is Purpose.NOTE
        self.console.write(lambda: self.desk.save_draft(number, text, internal=internal, template_key=template))

    def keep_drafts(self) -> None:
        """The console locks or ends: keep what is being written now."""
        if self.composer.display and self.composer.text != self._draft:
            self.desk_keeps(self.composer.text)

    def leave_composer(self) -> None:
        """Put the composer away; its text is kept as a draft."""
        self._draft = self.composer.text
        self.composer.close()
        self.query_one(ThreadView).focus()
        if self._draft.strip():
            self.flash("Draft kept · r goes on with it")

    def do_discard(self) -> None:
        """Drop the draft, after asking."""
        if not self.has_draft:
            self.flash("There is no draft here.", "warning")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._forget_draft()
                self.desk_keeps("")
                self.flash("Draft discarded")

        self.app.push_screen(Confirm("Discard your draft?", "Its text is gone for good."), answered)

    def _forget_draft(self) -> None:
        self._draft, self._template_key, self._template = "", "", None
        self.composer.forget()
        self.query_one(ThreadView).focus()

    # Sending

    def do_send(self) -> None:
        """Send what is written, wherever the keys go at the moment."""
        self.focus_text()
        self.composer.request_send()

    def focus_text(self) -> None:
        """Let the keys go to the text, where one is written and may be seen."""
        if self.composer.display and not self.console.masked:
            self.composer.query_one("#composer-text").focus()

    def on_composer_send_requested(self, event: Composer.SendRequested) -> None:
        """Queue a reply, held for 15 seconds, or save a note."""
        event.stop()
        if self._sending or self._template_is_gone(event):
            return
        self._sending = True
        number, text = event.conversation, event.text
        if event.purpose is Purpose.NOTE:
            self.write(
                lambda: self.desk.note(number, text),
                lambda _: self._written("Note saved"),
                self._not_written,
                self._sending_ended,
            )
            return
        seen, whom = self._seen, self._seen_patient
        version = self._template.version_id if self._template is not None else None
        self.write(
            lambda: self.desk.send(
                number, text, seen_message_id=seen, seen_patient_id=whom, template_version_id=version
            ),
            partial(self._sent, number),
            self._not_written,
            self._sending_ended,
        )

    def _template_is_gone(self, event: Composer.SendRequested) -> bool:
        """Say so where a reply was made from a template that is not on offer here any more."""
        gone = event.purpose is Purpose.REPLY and bool(self._template_key) and self._template is None
        if gone:
            self.console.told(NotThisTemplate())
        return gone

    def _sent(self, number: int, answered: Answered) -> None:
        self.console.sent(number, HELD_FOR)
        self._written(f"{conversation_name(number)} {' · '.join(('answered', *answered.done))} · n takes the next")
        for sentence in answered.not_done:
            self.notify(f"The answer goes, and that is all: {sentence}", severity="warning")

    def _sending_ended(self) -> None:
        self._sending = False

    def _written(self, words: str) -> None:
        self._forget_draft()
        self.flash(words)
        self.acted()

    def _not_written(self, error: CrmError) -> None:
        if isinstance(error, SomethingNewer | AnotherPatient):
            self._seen = None
            self.look_again()
        self.console.told(error)


def _option(offer: Offer) -> TemplateOption:
    told = "used lately" if offer.recent else "fits" if offer.fits else ""
    return TemplateOption(
        id=offer.key,
        name=offer.title,
        category=told,
        language=offer.language,
        text=offer.preview,
        then=offer.then or "",
        refused=f"missing: {', '.join(offer.missing)}" if offer.missing else "",
    )
