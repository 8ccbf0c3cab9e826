"""Mode 6: writing a template, its review, its approval."""

from __future__ import annotations

from crm_tui.desk.library import LibraryDesk, as_file
from tests.tour.clinic import TourClinic
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed

_PLACE = ("refill_done", "en")


def submitted_by_nora(clinic: TourClinic) -> None:
    """Nora has written a new version and put it up for review."""
    desk = LibraryDesk(clinic.crm, clinic.actor("nora"))
    shelf = desk.shelf()
    newest = next(row for row in shelf.rows if row.place == _PLACE).newest
    text = as_file(newest).replace("good news: your refill", "your refill")
    desk.keep(desk.examine(_PLACE, text, shelf), _PLACE, newest.number)
    desk.submit(_PLACE)


SCENES = (
    Scene(
        title="The library: an author",
        who="nora",
        why="Templates are written where they are used; what is in force stays until a new version is approved.",
        steps=(
            COME_IN,
            Step(
                title="Mode 6",
                why="Every template with its state, languages, uses, review date and length.",
                keys=("6",),
                verbs=("mode_library",),
                shows=("Library: all", "none to be read again"),
            ),
            Step(
                title="Find one",
                why="By words of its name, key, category, state or language.",
                keys=("/", Typed("refill sent"), "enter"),
                verbs=("filter",),
                shows=("FILTERED 1 of", "Refill: sent to the pharmacy"),
            ),
            Step(
                title="Write its next version",
                why="Its file as text; what is wrong with it stands beneath, as it is typed.",
                keys=("e", Typed(" Text CANCEL to stop.")),
                verbs=("library_edit",),
                shows=("2 text messages", "asks for the word CANCEL, which opts a number out"),
            ),
            Step(
                title="Left without keeping",
                why="Escape asks before anything written is lost.",
                keys=("escape", "y"),
                verbs=("back",),
                shows=("Library: all",),
            ),
            Step(
                title="A draft",
                why="ctrl+s keeps it as the next draft.",
                keys=("e", Typed(" See you soon."), "ctrl+s"),
                verbs=("library_edit", "library_save"),
                shows=("kept as a draft · s submits it",),
            ),
            Step(
                title="What it changed",
                why="The difference from the version before.",
                keys=("d",),
                verbs=("library_diff",),
                shows=("version 1 to 2", "See you soon."),
            ),
            Step(
                title="Submit",
                why="An approver reads it next.",
                keys=("escape", "s"),
                verbs=("library_submit",),
                shows=("submitted: an approver reads it next",),
            ),
            Step(
                title="Not one's own to approve",
                why="Who may not is told at the key.",
                keys=("y",),
                verbs=("library_approve",),
                shows=("Your roles may not approve templates",),
            ),
            Step(
                title="A new template, or another language of one",
                why="Its key is asked for, then it is written as any other.",
                keys=("N", Typed("refill_delayed"), "enter"),
                verbs=("library_new",),
                shows=("refill_delayed (en) · a new template", "write what the patient reads"),
            ),
        ),
    ),
    Scene(
        title="The library: an approver",
        who="ben",
        why="Nobody approves a version of their own; an approver reads, sends back, approves, retires.",
        before=submitted_by_nora,
        steps=(
            Step(
                title="Sign in",
                why="Who works no lane is told where their work is.",
                keys=("enter",),
                shows=("Your first sign-in here", "Your roles work no lane. 6 shows the library"),
            ),
            Step(
                title="What waits",
                why="o shows what waits for approval, then what must be read again, then all.",
                keys=("6", "o"),
                verbs=("mode_library", "library_states"),
                shows=("Library: waiting for approval · 1 of", "Refill: sent to the pharmacy"),
            ),
            Step(
                title="Its earlier versions",
                why="[ and ] go through them.",
                keys=("[",),
                verbs=("previous_record",),
                shows=("Library: waiting for approval",),
            ),
            Step(
                title="Send back",
                why="With a remark for its author; it is a draft again.",
                keys=("]", "b", Typed("Please keep the good news."), "enter"),
                verbs=("library_back", "next_record"),
                shows=("sent back",),
            ),
            Step(
                title="Approve",
                why="It may be sent from now on, under the approver's name; what was in force is retired.",
                keys=("y",),
                verbs=("library_approve",),
                shows=("Approve it?", "under your name"),
            ),
            Step(
                title="Approved",
                why="y says yes.",
                keys=("y",),
                shows=("approved",),
            ),
            Step(
                title="Retire",
                why="Out of use in this language, after asking.",
                keys=("o", "o", "R"),
                verbs=("library_retire", "library_states"),
                shows=("Retire it?",),
            ),
        ),
    ),
)
