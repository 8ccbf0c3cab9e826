"""`z` and the undo journal: taking back what was done, the last of it or any one that is still possible."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from crm_tui.desk.acts import Act, TakenBack
from crm_tui.desk.lanes import CrmError, Verb
from crm_tui.doors import Doors
from crm_tui.held import Done
from crm_tui.long_work import LongWork
from crm_tui.screens.conversation import Start
from crm_tui.screens.showing import conversation_name, moment
from crm_tui.widgets.choice import Choice, Pick, Picked


class TakingBack(LongWork, Doors):
    """The part of the console that undoes."""

    def do_undo(self) -> None:
        """Take back the last thing done here; after a restart, the last thing this person did anywhere."""
        last = self.done.last()
        self._take_back(last, last.act if last else None, last.conversation_id if last else None)

    def do_undo_journal(self) -> None:
        """Offer what this person did, newest first, with what stands against taking back each."""
        if self.session is None:
            return
        acts, zone = self.session.acts, self.session.choices.zone

        def show(done: Sequence[Act]) -> None:
            now = self.now()
            picks = [
                Pick(
                    id=str(act.number),
                    name=f"{moment(act.at, zone)} {act.verb.value} {_whom(act)}",
                    hint=_possible(act, now),
                    refused=act.why_not or "",
                )
                for act in done
            ]
            title = "Take back which?" if picks else "You have done nothing here that can be taken back"
            hint = "type to narrow · enter takes it back · esc back"
            self.push_screen(Choice(title, picks, hint=hint), taken)

        def taken(picked: Picked | None) -> None:
            if picked is not None:
                number = int(picked.id)
                self._take_back(None, number, None)

        self.read("journal", acts.journal, show)

    def _take_back(self, last: Done | None, act: int | None, conversation_id: int | None) -> None:
        if self.session is None:
            return
        acts, work = self.session.acts, self.work_on("Taking back")

        def failed(error: CrmError) -> None:
            self._forget_done(last)
            self.told(error)

        self.write(
            lambda: acts.take_back(act, conversation_id, work.tell),
            lambda what: self._taken_back(last, act, what),
            failed,
            work.ended,
        )

    def _taken_back(self, last: Done | None, act: int | None, what: TakenBack) -> None:
        if last is None and act is not None and what.done:
            self.done.taken_back(what.done[0], act, held=what.verb is Verb.REPLIED)
        self._forget_done(last)
        self.say_taken_back(_told(what))
        if what.left:
            named = ", ".join(conversation_name(number) for number, _ in what.left[:5])
            more = f" and {len(what.left) - 5:,} more" if len(what.left) > 5 else ""  # noqa: PLR2004
            self.notify(f"{named}{more}: {what.left[0][1]}", title="Left as it is", severity="warning", timeout=10)
        if what.verb in (Verb.REPLIED, Verb.SCHEDULED) and what.done:
            self.open_conversation(what.done[0], start=Start.RESTORE)

    def _forget_done(self, last: Done | None) -> None:
        if last is not None:
            self.done.undone(last)
        self.tick()

    # What the app gives

    def say_taken_back(self, words: str) -> None:
        """Flash what was taken back, on whatever screen is in front."""
        raise NotImplementedError

    def open_conversation(self, conversation_id: int, *, start: Start = Start.READ, over: bool = False) -> None:
        """Show a conversation."""
        raise NotImplementedError


def _whom(act: Act) -> str:
    return conversation_name(act.conversation_id) if act.count == 1 else f"×{act.count:,}"


def _possible(act: Act, now: datetime) -> str:
    if act.held_until is not None:
        return f"held, goes out in {max(0, ceil((act.held_until - now).total_seconds()))} s"
    return "still possible" if act.possible == act.count else f"still possible for {act.possible:,}"


def _told(what: TakenBack) -> str:
    if len(what.done) == 1 and not what.left:
        return f"Taken back: {conversation_name(what.done[0])} {what.verb.value}"
    left = f" · {len(what.left):,} left as they are" if what.left else ""
    return f"Taken back: {len(what.done):,} {what.verb.value}{left}"
