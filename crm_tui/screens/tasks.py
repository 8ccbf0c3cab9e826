"""Mode 4: what is to be done, by whom and by when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.types import CSSPathType
from typing_extensions import override

from crm_tui.commands import Command, bindings
from crm_tui.desk.lanes import CrmError, Topic
from crm_tui.desk.tasks import TaskDesk, TaskItem, TaskPage, TaskView
from crm_tui.screens.ask_text import AskText
from crm_tui.screens.list_screen import ListScreen
from crm_tui.screens.logging_calls import LogsCalls
from crm_tui.screens.moments import on_offer, read_moment
from crm_tui.screens.patient_record import PatientRecord
from crm_tui.screens.raising_tasks import RaisesTasks
from crm_tui.screens.showing import moment
from crm_tui.screens.task_rows import task_item, task_name, task_row, task_text
from crm_tui.terminal import plain
from crm_tui.widgets.choice import Choice, Pick, Picked
from crm_tui.widgets.confirm import Confirm
from crm_tui.widgets.line import Line
from crm_tui.widgets.panels import TextPanel
from crm_tui.widgets.queue_list import QueueList

_WORKS = frozenset({"close", "assign", "claim", "snooze", "add_task"})
_ENDS = (
    Pick(id="done", name="Done"),
    Pick(id="words", name="Done, with a word about it", needs_text=True),
    Pick(id="cancelled", name="It need not be done", needs_text=True),
)


class TasksScreen(ListScreen, RaisesTasks, LogsCalls):
    """The open tasks, those due first on top: mine, or all that I may see."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["console_screen.tcss", "tasks.tcss"]
    MODE = "mode_tasks"
    LIST = "tasks"
    NAME = "Tasks"
    EMPTY = "No task waits here."
    WATCHES = frozenset({Topic.TASKS})
    FOOTER = (
        "open", "close", "assign", "snooze", "undo", "mine_or_all", "add_task", "help", "log_call", "claim", "why",
        "back",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = bindings("close", "assign", "claim", "snooze", "why", "mine_or_all")

    def __init__(self) -> None:
        super().__init__()
        self.mine = True
        self._total = 0

    @property
    def _tasks(self) -> TaskDesk:
        return self.session.tasks

    # Asking

    def on_queue_list_page_wanted(self, event: QueueList.PageWanted) -> None:
        """Fetch a page off the loop; the list itself drops one that comes too late."""
        event.stop()
        tasks, mine, listed = self._tasks, self.mine, event.queue
        before = event.after[0] if event.after else None
        after = before if isinstance(before, TaskItem) else None

        def ask() -> tuple[TaskPage, int]:
            return tasks.page(mine=mine, limit=event.limit, offset=event.index, after=after), tasks.overdue(mine=mine)

        def provide(found: tuple[TaskPage, int]) -> None:
            page, overdue = found
            listed.provide_page(event.generation, event.index, [task_row(item) for item in page.items], page.total)
            self._show_head(page.total, overdue)

        def failed(error: CrmError) -> None:
            listed.page_failed(event.generation, event.index)
            self.console.told(error)

        self.read(f"page {event.index}", ask, provide, failed)

    def _show_head(self, total: int, overdue: int) -> None:
        whose = "Mine, and for my roles" if self.mine else "All tasks"
        late = plain(f"{overdue} overdue", "bold $due-late") if overdue else plain("none overdue", "$quiet")
        other = "all" if self.mine else "mine"
        self.query_one("#tasks-head", Line).show(
            Content.assemble((whose, "bold"), f" · {total} open · ", late, plain(f"   o shows {other}", "$quiet"))
        )

    # Opening

    def on_queue_list_chosen(self, event: QueueList.Chosen) -> None:
        """Open the conversation it comes from, else the patient, else what it says."""
        event.stop()
        if event.row is None:
            return
        item = task_item(event.row)
        if item.conversation_id is not None:
            self.console.open_conversation(item.conversation_id)
        elif item.patient_id is not None:
            self.app.push_screen(PatientRecord(item.patient_id))
        else:
            self.do_why()

    def do_why(self) -> None:
        """Show all that the task says."""
        chosen = self._chosen()
        if not chosen:
            return
        zone, number = self.session.choices.zone, chosen[-1].task_id

        def show(view: TaskView) -> None:
            text = plain("Identities are masked; f2 shows them.") if self.console.masked else task_text(view, zone)
            self.app.push_screen(TextPanel(task_name(number), text))

        self.read("task", lambda: self._tasks.task(number), show)

    def do_mine_or_all(self) -> None:
        """Show all that I may see, or only mine."""
        self.mine = not self.mine
        self.listed.restart()

    # What is done to it

    @override
    def call_in_view(self) -> TaskItem | None:
        chosen = self._chosen()
        return chosen[-1] if chosen else None

    @override
    def why_not(self, command: Command) -> str | None:
        if command.id in _WORKS:
            return None if self.desk.may("task:work") else "Your role does not work on tasks; a supervisor can."
        return super().why_not(command)

    def do_close(self) -> None:
        """Ask how it ended, and for what it requires."""
        chosen = self._chosen()

        def ended(picked: Picked) -> None:
            if picked.id == "cancelled":
                self._perform("Cancelled", lambda one: self._tasks.cancel(one, picked.text))
            elif len(chosen) == 1 and chosen[0].required:
                number, words = chosen[0].task_id, picked.text
                self.read(
                    "task", lambda: self._tasks.task(number), lambda view: self._fill_in(view, words, view.missing)
                )
            else:
                self._perform("Done", lambda one: self._tasks.finish(one, picked.text or None, {}))

        self._choose("How did {} end?", _ENDS, ended)

    def _fill_in(self, view: TaskView, words: str, missing: Sequence[str], known: dict[str, str] | None = None) -> None:
        """Ask for what is missing, one after another, then finish it."""
        known = known or {}
        if not missing:
            self._do("Done", [view.task_id], lambda one: self._tasks.finish(one, words or None, known))
            return

        def answered(text: str | None) -> None:
            if text is not None:
                self._fill_in(view, words, missing[1:], {**known, missing[0]: text})

        wanted = missing[0].replace("_", " ")
        self.app.push_screen(AskText(f"{task_name(view.task_id)} asks for: {wanted}", wanted), answered)

    def do_assign(self) -> None:
        """Ask whose it is to be."""
        picks = [Pick(id=str(number), name=name) for number, name in self.session.choices.staff]
        self._choose(
            "Give {} to", picks, lambda to: self._perform("Given", lambda one: self._tasks.assign(one, int(to.id)))
        )

    def do_claim(self) -> None:
        """Make it mine, or give it back to the role or lane it was for."""
        mine = {item.task_id: item.owner_id == self.session.staff_id for item in self._chosen()}
        words = "Given back" if mine and all(mine.values()) else "Yours now"
        self._perform(words, lambda one: self._tasks.claim_or_release(one, mine=mine[one]))

    def do_snooze(self) -> None:
        """Offer a few times to put it off to, and take a typed one."""
        now, zone = self.desk.now(), self.session.choices.zone
        offered = {one.id: one for one in on_offer(now, zone)}
        picks = [Pick(id=one.id, name=one.name, hint=moment(one.at, zone)) for one in offered.values()]

        def put_off(picked: Picked) -> None:
            at = offered[picked.id].at if picked.id else read_moment(picked.text, now, zone)
            if at is None:
                self.flash(f"“{picked.text}” is no time; type 2h, fri 10:00 or 12/1 2pm.", "warning")
                return
            self._perform(f"Due {moment(at, zone)}", lambda one: self._tasks.put_off(one, at))

        self._choose("Put {} off until", picks, put_off, free=True)

    def do_undo(self) -> None:
        """Take back what was done last to a task; where nothing was, what was done last elsewhere."""
        if not self._tasks.can_undo:
            self.console.do_undo()
            return

        def undone(number: int) -> None:
            self.flash(f"Taken back: {task_name(number)} is as it was")
            self.listed.find(number)
            self.look_again()

        self.write(self._tasks.undo, undone)

    # How it is asked about and done

    def _chosen(self) -> tuple[TaskItem, ...]:
        """The marked rows, else the one under the cursor."""
        return tuple(task_item(row) for row in self.listed.acted_on)

    def _choose(self, title: str, picks: Sequence[Pick], then: Callable[[Picked], None], *, free: bool = False) -> None:
        chosen = self._chosen()
        if not chosen:
            self.flash("Nothing is under the cursor.", "warning")
            return
        about = f"{len(chosen)} tasks" if len(chosen) > 1 else task_name(chosen[0].task_id)
        hint = "or type: 2h · 15:30 · fri 10:00 · esc back" if free else "type to narrow · enter takes · esc back"

        def answered(picked: Picked | None) -> None:
            if picked is not None:
                then(picked)

        self.app.push_screen(Choice(title.format(about), picks, free=free, hint=hint), answered)

    def _perform(self, words: str, act: Callable[[int], None]) -> None:
        """Do it to the one under the cursor; to several only after their number was typed."""
        chosen = self._chosen()
        numbers = [item.task_id for item in chosen]
        if len(numbers) < 2:  # noqa: PLR2004 - one is not several
            self._do(words, numbers, act)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._do(words, numbers, act)

        samples = [task_name(number) for number in numbers]
        question = Confirm(
            f"{words}: {len(numbers)} tasks?", "This is done to each of them.", count=len(numbers), samples=samples
        )
        self.app.push_screen(question, answered)

    def _do(self, words: str, numbers: Sequence[int], act: Callable[[int], None]) -> None:
        def all_of_them() -> list[str]:
            refused = []
            for number in numbers:
                try:
                    act(number)
                except CrmError as error:
                    refused.append(error.message)
            return refused

        def done(refused: list[str]) -> None:
            if len(refused) < len(numbers):
                self.flash(f"{words} · z undoes" if len(numbers) == 1 else f"{words} · {len(numbers)} · z undoes each")
            for said in refused[:1]:
                self.notify(said, title="Refused", severity="warning")
            self.listed.clear_marks()
            self.look_again()

        if numbers:
            self.write(all_of_them, done)
        else:
            self.flash("Nothing is under the cursor.", "warning")

    @override
    def task_added(self, task_id: int) -> None:
        self.flash(f"Added: {task_name(task_id)}")
        self.listed.find(task_id)
        self.look_again()
