"""The widgets together, as a screen will use them; people in it are made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message

from crm_tui.commands import bindings
from crm_tui.safe_app import SafeApp
from crm_tui.widgets.alarm_line import AlarmLine, AlarmState
from crm_tui.widgets.choice import Choice, Pick, Picked
from crm_tui.widgets.composer import Composer, Purpose
from crm_tui.widgets.confirm import Confirm
from crm_tui.widgets.filter_line import FilterLine
from crm_tui.widgets.footer import CommandFooter, flash
from crm_tui.widgets.identity import Identity, IdentityBar, IdentityGuard
from crm_tui.widgets.lane_list import LaneCount, LaneList
from crm_tui.widgets.lock_panel import LockPanel
from crm_tui.widgets.panels import HelpPanel, Reason, WhyPanel
from crm_tui.widgets.picking import ranked
from crm_tui.widgets.queue_list import QueueList
from crm_tui.widgets.status_line import NextStep, StatusLine
from crm_tui.widgets.template_picker import TemplateOption, TemplatePicker
from crm_tui.widgets.thread_lines import EntryKind, ThreadEntry
from crm_tui.widgets.thread_view import ThreadView
from tests.widgets.stages import HOSTILE, NOW, QueueStage, made_row

ANN = Identity(
    patient=12, name="Ann Marsh", birth_date="3 May 1961", number="+1 202 555 0143", language="en", shared_by=2
)
BO = Identity(patient=13, name="Bo Lindqvist", birth_date="9 Jan 1988", number="+1 202 555 0177", language="es")

LANES = (
    LaneCount(id="scheduling", name="Scheduling", open=12, unowned=3, overdue=0),
    LaneCount(id="clinical_triage", name="Clinical triage", open=7, unowned=2, overdue=2),
    LaneCount(id="refills", name="Refills", open=21, unowned=9, overdue=4),
    LaneCount(id="records", name="Records"),
    LaneCount(id="front_desk", name="Front desk", open=3, unowned=3),
)

THREAD = (
    ThreadEntry(
        id=1,
        kind=EntryKind.OUT,
        at=NOW - timedelta(days=3, hours=2),
        author="Kim R.",
        channel="sms",
        delivery="delivered",
        text="Your lisinopril refill was sent to the pharmacy on Elm Street. Reply here if it is not there by Friday.",
    ),
    ThreadEntry(id=2, kind=EntryKind.STEP, at=NOW - timedelta(days=2), text="moved from billing to refills"),
    ThreadEntry(
        id=3,
        kind=EntryKind.IN,
        at=NOW - timedelta(minutes=18),
        author="Ann Marsh",
        channel="sms",
        badge="neutralised",
        text="Hi, they say they never got it [/b]. I have 2 pills left and I am going away on Wednesday, "
        "so I would need it before then.\n\n> Your lisinopril refill was sent to the pharmacy",
    ),
    ThreadEntry(
        id=4,
        kind=EntryKind.CALL,
        at=NOW - timedelta(minutes=9),
        author="Kim R.",
        delivery="no answer, left no message",
        text="Called the pharmacy.",
    ),
    ThreadEntry(
        id=5,
        kind=EntryKind.NOTE,
        at=NOW - timedelta(minutes=6),
        author="Kim R.",
        text="The pharmacy lost the fax. Ask Dr. Iwu to send it again.",
    ),
    ThreadEntry(
        id=6,
        kind=EntryKind.OUT,
        at=NOW - timedelta(minutes=1),
        author="Kim R.",
        channel="sms",
        delivery="failed: no such number",
        text="We are on it.",
    ),
)

TEMPLATES = (
    TemplateOption(
        id="refill-sent",
        name="Refill sent",
        category="refill",
        language="en",
        text="Hello Ann,\n\nyour refill has been sent to your pharmacy. It is usually ready the next working day.\n\n"
        "Elm Street Clinic",
    ),
    TemplateOption(
        id="refill-early",
        name="Refill too early",
        category="refill",
        language="en",
        text="Hello Ann,\n\nit is too early.",
    ),
    TemplateOption(
        id="visit",
        name="Visit offered",
        category="scheduling",
        language="en",
        refused="missing: appointment.start",
        text="Hello Ann,\n\nwe can see you on …",
    ),
    TemplateOption(
        id="bill", name="Bill explained", category="billing", language="en", text="Hello Ann,\n\nyour bill …"
    ),
)


class WorkStage(QueueStage):
    """Lanes, queue, thread and composer; keys open the dialogs. `log` keeps every message of a widget."""

    BINDINGS = bindings(
        "reply",
        "note",
        "template",
        "move_lane",
        "close",
        "filter",
        "why",
        "help",
        "curtain",
        "back",
        "previous_lane",
        "next_lane",
    )
    CSS = """
    #detail { width: 3fr; border-left: solid $panel; }
    LaneList { width: 34; }
    #middle { width: 2fr; }
    .-one-pane #detail { display: none; }
    .-one-pane LaneList { display: none; }
    .-two-panes LaneList { display: none; }
    TemplatePicker { display: none; }
    """

    def __init__(self, identity: Identity = ANN, *, monotonic: Callable[[], float] | None = None) -> None:
        super().__init__(60)
        self.time = 0.0
        self.monotonic = monotonic or (lambda: self.time)
        self.identity = identity
        self.log_of: list[Message] = []
        self.answers: list[object] = []

    def compose(self) -> ComposeResult:
        yield AlarmLine(now=lambda: NOW)
        with Horizontal():
            yield LaneList()
            with Vertical(id="middle"):
                yield FilterLine()
                yield QueueList(now=lambda: NOW)
            with Vertical(id="detail"):
                yield IdentityBar()
                yield ThreadView(now=lambda: NOW, zone=ZoneInfo("America/New_York"))
                yield TemplatePicker(lambda query: ranked(query, TEMPLATES, lambda one: f"{one.name} {one.category}"))
                yield Composer(
                    guard=IdentityGuard(monotonic=self.monotonic),
                    measure=lambda text: f"{-(-len(text) // 160)} texts",
                )
        yield StatusLine(now=lambda: NOW)
        yield CommandFooter("take_next", "reply", "template", "close", "undo", "help", "filter", "open", "find_patient")

    def on_mount(self) -> None:
        self.fill()

    def fill(self) -> None:
        """Give every widget something to show."""
        alarm = self.query_one(AlarmLine)
        alarm.show(AlarmState(count=2, oldest_at=NOW - timedelta(minutes=4)))
        alarm.show_context("Refills · Kim R.")
        self.query_one(LaneList).show_lanes(LANES)
        self.query_one(ThreadView).show_thread(THREAD)
        self.query_one("#detail > IdentityBar", IdentityBar).show_identity(self.identity)
        self.query_one(StatusLine).show_step(
            NextStep(owner="Kim R.", action="answer the patient", due_at=NOW + timedelta(minutes=12))
        )

    def _write(self, purpose: Purpose) -> None:
        self.screen.add_class("-three-panes")
        self.query_one(Composer).open(
            1042, self.identity, purpose=purpose, text="" if purpose is Purpose.REPLY else "Ask Dr. Iwu."
        )

    def do_reply(self) -> None:
        self._write(Purpose.REPLY)

    def do_note(self) -> None:
        self._write(Purpose.NOTE)

    def do_template(self) -> None:
        self.query_one(TemplatePicker).display = True

    def do_move_lane(self) -> None:
        picks = [Pick(id=lane.id, name=lane.name, hint=f"{lane.open} open") for lane in LANES]
        picks.append(Pick(id="physician_review", name="Physician review", refused="only a nurse's escalation fills it"))
        self._ask(Choice("Move Ann Marsh to which lane?", picks, text_label="why", text_needed=True))

    def do_close(self) -> None:
        self._ask(
            Confirm(
                "Close 12 conversations?",
                "They end as no response.",
                count=12,
                samples=("Ann [b Marsh", "Bo", "Cyd", "Dao"),
                excluded="2 dangers",
            )
        )

    def do_filter(self) -> None:
        self.query_one(FilterLine).open()

    def do_why(self) -> None:
        self._ask(
            WhyPanel(
                "Why is it in refills?",
                (
                    Reason(text="danger phrases", passed=False, saw="none of 214"),
                    Reason(text="category is refill", passed=True, saw="refill, from “pills left”"),
                    Reason(text="routed to refills by rule 7 of playbook version 3"),
                ),
            )
        )

    def do_help(self) -> None:
        self._ask(HelpPanel())

    def do_curtain(self) -> None:
        queue, thread, composer = self.query_one(QueueList), self.query_one(ThreadView), self.query_one(Composer)
        queue.masked = thread.masked = composer.masked = not queue.masked

    def do_back(self) -> None:
        self.query_one(Composer).close()

    def do_previous_lane(self) -> None:
        self.query_one(LaneList).step(-1)

    def do_next_lane(self) -> None:
        self.query_one(LaneList).step(1)

    def _ask(self, dialog: Choice | Confirm | WhyPanel | HelpPanel) -> None:
        def answered(answer: Picked | bool | None) -> None:
            self.answers.append(answer)

        self.push_screen(dialog, answered)

    def on_composer_send_requested(self, event: Composer.SendRequested) -> None:
        self.log_of.append(event)
        self.query_one(Composer).forget()
        flash(self.query_one(QueueList), "Held 15 s · z takes it back")

    def on_composer_draft_changed(self, event: Composer.DraftChanged) -> None:
        self.log_of.append(event)

    def on_lane_list_shown(self, event: LaneList.Shown) -> None:
        self.log_of.append(event)

    def on_template_picker_chosen(self, event: TemplatePicker.Chosen) -> None:
        self.log_of.append(event)
        self.query_one(TemplatePicker).display = False

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        self.log_of.append(event)
        self.query_one(FilterLine).show_count(12, 60)

    def on_filter_line_left(self) -> None:
        self.query_one(QueueList).focus()


class HostileWorkStage(WorkStage):
    """The same with hostile text wherever a value from outside can stand."""

    def __init__(self) -> None:
        super().__init__(replace(ANN, name=HOSTILE[0], birth_date=HOSTILE[6], language=HOSTILE[1], proxy=HOSTILE[3]))
        self.make = lambda index: replace(made_row(index), patient=HOSTILE[index % len(HOSTILE)], owner=HOSTILE[0])

    def fill(self) -> None:
        super().fill()
        everything = "\n".join(HOSTILE)
        thread = [
            ThreadEntry(id=1, kind=kind, at=NOW, text=everything, author=HOSTILE[0], delivery=HOSTILE[1], badge="text")
            for kind in EntryKind
        ]
        self.query_one(ThreadView).show_thread(thread)
        self.query_one(AlarmLine).show(AlarmState(count=1, oldest_at=NOW, holder=HOSTILE[0]))
        self.query_one(LaneList).show_lanes([LaneCount(id=str(at), name=text) for at, text in enumerate(HOSTILE)])
        self.query_one(StatusLine).show_step(NextStep(owner=HOSTILE[0], action=HOSTILE[1], follow_up=HOSTILE[2]))
        self.query_one(Composer).open(1, self.identity, text=everything, template=HOSTILE[0])
        picker = self.query_one(TemplatePicker)
        picker.rank = lambda _: [TemplateOption(id="1", name=text, text=everything, refused=text) for text in HOSTILE]
        picker.search("")
        picker.display = True

    def do_move_lane(self) -> None:
        self._ask(Choice(HOSTILE[0], [Pick(id=text, name=text, hint=text) for text in HOSTILE], text_label=HOSTILE[1]))

    def do_close(self) -> None:
        self._ask(Confirm(HOSTILE[0], HOSTILE[7], count=2, samples=HOSTILE, excluded=HOSTILE[8]))

    def do_why(self) -> None:
        self._ask(WhyPanel(HOSTILE[1], [Reason(text=text, saw=text) for text in HOSTILE]))


class LockStage(SafeApp[None]):
    """The sign-in with two alarms."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[LockPanel.SignIn] = []

    def compose(self) -> ComposeResult:
        yield LockPanel(title="Locked after 2 minutes", name="Kim R.", now=lambda: NOW)

    def on_mount(self) -> None:
        self.query_one(LockPanel).show_alarm(AlarmState(count=2, oldest_at=NOW))

    def on_lock_panel_sign_in(self, event: LockPanel.SignIn) -> None:
        self.seen.append(event)
        self.query_one(LockPanel).refuse("That is not the password; wait 2 s and try again.")
