"""Whose it is, where it goes, until when it waits, how it ends; several at once, and taking back."""

from __future__ import annotations

from crm_core.inbox import handling
from tests.tour.clinic import TourClinic
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed
from tests.tour.working import TAKE


def moved_to_and_fro(clinic: TourClinic) -> None:
    """Somebody has moved the record request to billing and back."""
    for lane in ("billing", "records"):
        clinic.do("lou", handling.move, clinic.first_in("records", "billing"), lane=lane, reason="wrong_lane")


SCENES = (
    Scene(
        title="Whose it is",
        who="sam",
        why="What is in a lane is anyone's until somebody takes it.",
        steps=(
            COME_IN,
            Step(
                title="Claim",
                why="c makes it mine; z undoes.",
                keys=("K", "c"),
                verbs=("claim",),
                shows=("Yours now · z undoes", "Sam O."),
            ),
            Step(
                title="Release",
                why="On what is mine already c gives it back. After a verb the cursor goes on to the next row.",
                keys=("k", "c"),
                verbs=("claim",),
                shows=("Given back to its lane",),
            ),
            Step(
                title="Assign",
                why="To one of those who work here; a few letters of the name are enough.",
                keys=("g", "a", Typed("nor")),
                verbs=("assign",),
                shows=("Nora Diaz", "to"),
            ),
            Step(
                title="It is hers",
                why="The queue shows the owner.",
                keys=("enter",),
                shows=("Assigned · z undoes", "Nora D."),
            ),
            Step(
                title="Undo",
                why="z takes back the last thing done, and says what that was.",
                keys=("z",),
                verbs=("undo",),
                shows=("Taken back",),
                hides=("Nora D.",),
            ),
            Step(
                title="Link an unknown sender",
                why="A number that two patients share names nobody; who it is gets said once.",
                keys=("K", "G", "L", Typed("quinn")),
                verbs=("link_patient",),
                shows=("Whose is C-", "Hazel Quinn"),
            ),
            Step(
                title="Linked",
                why="The conversation is hers now; z undoes.",
                keys=("enter",),
                shows=("Linked · z undoes", "Hazel Quinn"),
            ),
        ),
    ),
    Scene(
        title="Handing on",
        who="kim",
        why="Each hand-off takes a coded reason, and keeps the thread whole.",
        before=moved_to_and_fro,
        steps=(
            COME_IN,
            Step(
                title="Move to another lane",
                why="First where to.",
                keys=("K", "K", "m"),
                verbs=("move_lane",),
                shows=("to which lane?", "Physician review"),
            ),
            Step(
                title="Why it belongs there",
                why="Then the reason, of those in the playbook.",
                keys=(Typed("front"), "enter"),
                shows=("belong there?", "Belongs to another lane"),
            ),
            Step(
                title="Moved",
                why="It is in the other lane, unowned and with its clock.",
                keys=("enter",),
                shows=("Moved to Front desk · z undoes",),
            ),
            Step(
                title="The third move between two lanes",
                why="Two moves between the same two lanes are enough: the third goes to a supervisor instead.",
                keys=("K", "K", "m", Typed("billing"), "enter", "enter"),
                verbs=("move_lane",),
                shows=("went between these two lanes twice already",),
            ),
            Step(
                title="Escalate",
                why="To whom, and a physician only by a nurse.",
                keys=("K", "x"),
                verbs=("escalate",),
                shows=("to whom?", "only a nurse asks a physician"),
            ),
            Step(
                title="Why, with one question",
                why="The question is asked in words of one's own.",
                keys=("enter", Typed("policy"), "enter", Typed("May I halve this bill?")),
                shows=("your question", "May I halve this bill?"),
            ),
            Step(
                title="Escalated",
                why="It stays Kim's, and is said to be so, until somebody accepts it.",
                keys=("enter",),
                shows=("Escalated to a supervisor · z undoes",),
            ),
        ),
    ),
    Scene(
        title="Putting off, ending, taking back",
        who="kim",
        why="Nothing is left without a next action: it waits until a stated time, or it is closed with an outcome.",
        steps=(
            COME_IN,
            TAKE,
            Step(
                title="Snooze",
                why="A few times are offered, and any may be typed.",
                keys=("s",),
                verbs=("snooze",),
                shows=("Snooze C-", "In 1 hour"),
            ),
            Step(
                title="A typed time",
                why="`fri 10:00`, in the clinic's time zone.",
                keys=(Typed("fri 10:00"), "enter"),
                shows=("Snoozed until Fri 27 Nov 10:00",),
            ),
            Step(
                title="Until they reply",
                why="Or until the lane's follow-up date, whichever comes first.",
                keys=("s", Typed("until they"), "enter"),
                verbs=("snooze",),
                shows=("Snoozed until they reply · z undoes",),
            ),
            Step(
                title="Even if they reply",
                why="Until a time, whatever the patient writes; what is urgent still wakes it.",
                keys=("s", Typed("even"), "enter", Typed("tomorrow 10:00"), "enter"),
                verbs=("snooze",),
                shows=("Snoozed, even if they reply, until Tue 24 Nov 10:00 · z undoes",),
            ),
            Step(
                title="Undo",
                why="It is back as it was.",
                keys=("z",),
                verbs=("undo",),
                shows=("Taken back",),
            ),
        ),
    ),
    Scene(
        title="Closing",
        who="kim",
        why="Closing is measured, so it takes an outcome; a complaint takes more.",
        steps=(
            COME_IN,
            Step(
                title="Close with an outcome",
                why="How it ended, of the playbook's outcomes.",
                keys=("K", "enter", "d"),
                verbs=("close",),
                shows=("How did C-4 Ana Lopez end?", "Resolved"),
            ),
            Step(
                title="Closed",
                why="z opens it again as it was.",
                keys=("enter",),
                shows=("Closed · z undoes", "closed: resolved"),
            ),
            Step(
                title="A complaint is about something",
                why="Its category is asked for.",
                keys=("escape", "K", "K", "K", "K", "K", "enter", "d", "enter"),
                verbs=("close",),
                shows=("what was the complaint about?",),
            ),
            Step(
                title="And was answered on a date",
                why="The third question; nothing happens where one of them is left with escape.",
                keys=("enter",),
                shows=("when was it answered?", "Today"),
            ),
            Step(
                title="Closed",
                why="Settled on its day; a day later it would be a grievance, which ends only after a written reply.",
                keys=("enter",),
                shows=("Closed · z undoes", "nobody · closed: resolved"),
            ),
        ),
    ),
)
