"""A patient's record: who it is, how they are reached and what they agreed to, what was said and what is planned."""

from __future__ import annotations

from datetime import tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from typing_extensions import override

from crm_tui.commands import bindings
from crm_tui.desk.lanes import Topic
from crm_tui.desk.notices import NoticeLine, NoticeView
from crm_tui.desk.patients import PastConversation, PatientCard
from crm_tui.ids import Kind, show_id
from crm_tui.screens.ask_text import AskText
from crm_tui.screens.consent_rows import consent_rows
from crm_tui.screens.consenting import Consenting
from crm_tui.screens.notice_rows import notice_name, notice_row, notice_text
from crm_tui.screens.planning_notices import PlansNotices
from crm_tui.screens.showing import birth_date, conversation_name, moment
from crm_tui.terminal import one_line, plain
from crm_tui.widgets.line import Line
from crm_tui.widgets.panels import TextPanel
from crm_tui.widgets.queue_row import MASK, fit

_LABEL = 14


class PatientRecord(Consenting, PlansNotices):
    """Pushed on top of whatever was there; enter opens one of the conversations, `w` says of a notice why."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["console_screen.tcss", "patient_record.tcss"]
    WATCHES = frozenset({Topic.PATIENTS, Topic.INBOX})
    FOOTER = ("back", "find_patient", "take_next", "why", "help")
    BINDINGS: ClassVar[list[BindingType]] = bindings("why")

    def __init__(self, patient_id: int) -> None:
        super().__init__()
        self.patient_id = patient_id
        self._card: PatientCard | None = None
        self._planned_for: list[NoticeLine] = []

    @property
    @override
    def open_card(self) -> PatientCard | None:
        return self._card

    def compose_body(self) -> ComposeResult:
        """Name, facts, conversations."""
        yield Line(id="record-name")
        yield Static(id="record-facts", markup=False)
        yield Line(plain("Last conversations", "bold $primary"), id="record-head")
        yield OptionList(id="record-past", markup=False)
        yield Line(plain("Sent by the house, planned first", "bold $primary"), id="record-notices-head")
        yield OptionList(id="record-notices", markup=False)

    def on_mount(self) -> None:
        """Open the record, which is audited."""
        self.context(str(show_id(Kind.PATIENT, self.patient_id)))
        self.query_one("#record-past", OptionList).focus()
        self.look_again()

    def look_again(self) -> None:
        """Open it anew."""
        self.read("record", lambda: self.session.patients.card(self.patient_id), self._show)
        if self.desk.may("notice:read"):
            self.read("notices", lambda: self.session.notices.of_patient(self.patient_id), self._show_notices)

    def mask(self, *, masked: bool) -> None:  # noqa: ARG002 - the app holds it, too
        """Mask who it is."""
        if self._card is not None:
            self._show(self._card)

    def _show(self, card: PatientCard) -> None:
        self._card = card
        who = card.patient
        masked = self.console.masked
        name = plain(MASK if masked else who.name, "bold")
        dead = (
            plain("  DECEASED", "bold $error") if who.deceased else plain("" if who.active else "  inactive", "$quiet")
        )
        self.query_one("#record-name", Line).show(Content.assemble(name, dead))
        self.query_one("#record-facts", Static).update(
            plain(MASK) if masked else _facts(card, self.session.choices.zone)
        )
        past = self.query_one("#record-past", OptionList)
        past.clear_options()
        zone = self.session.choices.zone
        titles = dict(self.session.choices.lanes)
        past.add_options(
            Option(
                _past(one, titles.get(one.lane, one.lane), moment(one.at, zone)),
                id=str(one.conversation_id),
                disabled=not one.mine_to_open,
            )
            for one in card.conversations
        )
        past.action_first()
        if not card.conversations:
            past.add_option(Option(plain("none yet", "$quiet"), disabled=True))

    def _show_notices(self, found: list[NoticeLine]) -> None:
        self._planned_for = found
        listed, zone = self.query_one("#record-notices", OptionList), self.session.choices.zone
        at = listed.highlighted
        listed.clear_options()
        listed.add_options(Option(notice_row(one, zone), id=str(one.notice_id)) for one in found)
        if not found:
            listed.add_option(Option(plain("nothing is planned; : plan a notice", "$quiet"), disabled=True))
        else:
            listed.highlighted = min(at or 0, len(found) - 1)

    # What the house sends by itself

    @override
    def notice_is_for(self) -> int | None:
        return self.patient_id

    def _notice_in_view(self) -> NoticeLine | None:
        """The notice under the cursor; None, and a word about it, where there is none."""
        at = self.query_one("#record-notices", OptionList).highlighted
        if at is None or at >= len(self._planned_for):
            self.flash("No notice is planned or was sent.", "warning")
            return None
        return self._planned_for[at]

    def do_why(self) -> None:
        """Show all of the notice under the cursor, and why it did or did not go."""
        one = self._notice_in_view()
        if one is None:
            return
        number, zone = one.notice_id, self.session.choices.zone

        def show(view: NoticeView) -> None:
            text = plain("Identities are masked; f2 shows them.") if self.console.masked else notice_text(view, zone)
            self.app.push_screen(TextPanel(notice_name(number), text))

        self.read("notice", lambda: self.session.notices.notice(number), show)

    def do_cancel_notice(self) -> None:
        """Ask why the notice under the cursor need not go, and take it back."""
        one = self._notice_in_view()
        if one is None:
            return
        number = one.notice_id

        def answered(why: str | None) -> None:
            if why is not None:
                self.write(lambda: self.session.notices.cancel(number, why), lambda _: self._cancelled(number))

        self.app.push_screen(
            AskText(f"Why need {notice_name(number)} not go?", "a few words, and no patient"), answered
        )

    def _cancelled(self, number: int) -> None:
        self.flash(f"{notice_name(number)} is taken back")
        self.look_again()

    # Its conversations

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open that conversation; of a notice say why."""
        event.stop()
        if event.option_list.id == "record-notices":
            self.do_why()
        elif event.option_id is not None:
            self.console.open_conversation(int(event.option_id))


def _past(one: PastConversation, lane: str, at: str) -> Content:
    what = (
        f"{fit(conversation_name(one.conversation_id), 9)} {fit(lane, 20)} {fit(one.state.replace('_', ' '), 16)} {at}"
    )
    return plain(what if one.mine_to_open else f"{what}  another lane's", "" if one.mine_to_open else "$quiet")


def _facts(card: PatientCard, zone: tzinfo) -> Content:
    who = card.patient
    rows = [("born", birth_date(who.birth_date, who.age) or "not known"), ("language", who.language or "not known")]
    rows += [(one.kind or "number", one_line(one.value)) for one in who.identifiers if one.kind == "MR"][:3]
    rows += [
        (
            one.use.value,
            " · ".join(
                part
                for part in (
                    one_line(one.value),
                    f"shared by {one.shared_by}" if one.shared_by > 1 else "",
                    "OPTED OUT" if one.opted_out else "",
                    f"unusable: {one.invalid_reason}" if one.invalid_reason else "",
                )
                if part
            ),
        )
        for one in who.contacts
    ]
    rows.append(("address", one_line(who.address) if who.address else "not known"))
    rows += consent_rows(card.consents, zone) if card.consents is not None else []
    lines = [
        Content.assemble(
            plain("MRN" if label == "MR" else label, "$quiet").pad_right(
                _LABEL - len("MRN" if label == "MR" else label)
            ),
            plain(said),
        )
        for label, said in rows
    ]
    return Content("\n").join(lines)
