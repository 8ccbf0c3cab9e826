"""`T`: leaving oneself something to do, from wherever one is."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from crm_tui.commands import bindings
from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.screens.moments import on_offer
from crm_tui.screens.showing import conversation_name, moment
from crm_tui.screens.task_rows import task_name
from crm_tui.widgets.choice import Choice, Pick, Picked


class RaisesTasks(ConsoleScreen):
    """A screen that adds tasks; `task_is_from` names the conversation that one comes from."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("add_task")

    def task_is_from(self) -> int | None:
        """The conversation in view or under the cursor, whose task it is to be."""
        return None

    def task_added(self, task_id: int) -> None:
        """Called when a task was added."""
        self.flash(f"Added: {task_name(task_id)} · 4 shows your tasks")

    def do_add_task(self) -> None:
        """Ask when it is due, then what is to be done."""
        now, zone, number = self.desk.now(), self.session.choices.zone, self.task_is_from()
        offered = {one.id: one for one in on_offer(now, zone)}
        picks = [Pick(id=one.id, name=one.name, hint=moment(one.at, zone), needs_text=True) for one in offered.values()]

        def picked(when: Picked | None) -> None:
            if when is None:
                return
            at = offered[when.id].at
            self.write(lambda: self.session.tasks.add(when.text, at, number), self.task_added)

        about = f" from {conversation_name(number)}" if number is not None else ""
        hint = "enter takes, then say what is to be done · esc back"
        self.app.push_screen(Choice(f"A task of yours{about}, due", picks, hint=hint), picked)
