"""What came with a conversation's messages: quoted text unfolded, files saved."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from crm_tui.commands import bindings
from crm_tui.screens.ask_text import AskText
from crm_tui.screens.showing import file_line
from crm_tui.screens.writing import Writing
from crm_tui.widgets.choice import Choice, Pick, Picked
from crm_tui.widgets.thread_view import ThreadView


class Files(Writing):
    """The part of a conversation's screen that looks into its messages."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("unfold", "save_file")

    def do_unfold(self) -> None:
        """Show what is quoted in the thread, or fold it away again."""
        thread = self.query_one(ThreadView)
        if not any(entry.folds for entry in thread.entries):
            self.flash("Nothing in this thread is folded away.", "warning")
            return
        thread.unfolded = not thread.unfolded

    def do_save_file(self) -> None:
        """Ask which attachment, then where to; the newest stand first."""
        if self.opened is None or self.console.masked:
            self.flash("f2 shows what is masked.", "warning")
            return
        files = [one for message in reversed(self.opened.conversation.messages) for one in message.files]
        if not files:
            self.flash("Nothing is attached here that could be saved.", "warning")
            return
        picks = [
            Pick(
                id=str(one.id),
                name=str(one.name),
                hint=file_line(one).removeprefix(f"{one.name}, "),
                refused="" if one.withheld is None else "not kept: ask for it another way",
            )
            for one in files
        ]

        def picked(chosen: Picked | None) -> None:
            if chosen is not None:
                self._ask_where(int(chosen.id))

        self.app.push_screen(Choice("Save which attachment?", picks), picked)

    def _ask_where(self, attachment_id: int) -> None:
        def answered(to: str | None) -> None:
            if to:
                self.write(
                    lambda: self.session.files.save(attachment_id, to), lambda path: self.flash(f"Saved as {path}")
                )

        self.app.push_screen(AskText("Save it as which new file?", "a path; nothing that exists is touched"), answered)
