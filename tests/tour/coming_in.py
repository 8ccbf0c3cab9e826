"""Coming in, finding one's way, finding one conversation and one patient."""

from __future__ import annotations

from dataclasses import replace

from tests.tour.clinic import PASSWORD
from tests.tour.steps import Scene, Step, Typed

COME_IN = Step(
    title="Sign in",
    why="An account that belongs to the system user comes in with enter alone.",
    keys=("enter",),
    shows=("Your first sign-in here", "open ·"),
    on_page=False,
)
FIRST_COME_IN = replace(COME_IN, on_page=True)

SCENES = (
    Scene(
        title="Coming in",
        who="lou",
        why="Lou's account has a password; until it is given the screen holds a count of alarms and nothing else.",
        steps=(
            Step(
                title="The door",
                why="Whose console this is, and that a password is wanted.",
                shows=("Lou Barnes", "Sign in"),
            ),
            Step(
                title="A wrong password",
                why="It is refused in one sentence, and each further try waits longer.",
                keys=(Typed("not this one"), "enter"),
                shows=("do not fit an active account",),
            ),
            Step(
                title="Sign in",
                why="The right one opens the lanes, and says how often somebody failed since last time.",
                keys=(Typed(PASSWORD), "enter"),
                shows=("1 failed attempt since", "open ·"),
            ),
        ),
    ),
    Scene(
        title="Finding one's way",
        who="kim",
        why="Mode 1 shows the lanes with what waits in each, one lane's queue, and a preview where there is room.",
        steps=(
            FIRST_COME_IN,
            Step(
                title="From lane to lane",
                why="J and K show the lane before and after, whatever pane has the keys.",
                keys=("K", "K", "J", "K"),
                verbs=("previous_lane", "next_lane"),
                shows=("Scheduling · 3 open",),
            ),
            Step(
                title="Down a queue",
                why="j and k move by a row, g and G to the ends, ctrl+d and ctrl+u by half a page.",
                keys=("j", "k", "G", "g", "ctrl+d", "ctrl+u", "j"),
                verbs=("down", "up", "first", "last", "half_down", "half_up"),
                shows=("Scheduling · 3 open", "Gus Petrov"),
            ),
            Step(
                title="From pane to pane",
                why="Where one pane fits, tab goes round: queue, preview, lanes. A preview is an opening, and audited.",
                keys=("g", "tab", "shift+tab", "tab"),
                verbs=("next_pane", "previous_pane", "first"),
                shows=("born 18 Aug 1977", "I need an appointment next week"),
            ),
            Step(
                title="Back",
                why="Escape leaves one layer, and never the program.",
                keys=("escape",),
                verbs=("back",),
                shows=("Scheduling · 3 open",),
            ),
            Step(
                title="Open, and on to the next record",
                why="Enter opens the row without taking it; ] and [ go along the queue.",
                keys=("enter", "]", "[", "]"),
                verbs=("open", "next_record", "previous_record"),
                shows=("Unknown sender",),
            ),
        ),
    ),
    Scene(
        title="Finding one",
        who="kim",
        why="A filter narrows what is in view and is gone with the session; a patient is found from anywhere.",
        steps=(
            COME_IN,
            Step(
                title="Filter",
                why="The line says FILTERED for as long as it holds.",
                keys=("K", "K", "/", Typed("petrov"), "enter"),
                verbs=("filter",),
                shows=("FILTERED 1 of", "Gus Petrov"),
            ),
            Step(
                title="The filter goes",
                why="Escape clears it.",
                keys=("escape",),
                verbs=("back",),
                shows=("Gus Petrov", "Unknown sender"),
                hides=("FILTERED",),
            ),
            Step(
                title="Find a patient",
                why="By name, phone digits, record number or birth date, in any order, from any screen.",
                keys=("ctrl+f", Typed("marsh")),
                verbs=("find_patient",),
                shows=("2 found", "Cleo Marsh", "Dana Marsh"),
            ),
            Step(
                title="A patient's record",
                why="Enter opens it: who it is, how they are reached, and their last conversations.",
                keys=("enter",),
                shows=("Last conversations", "shared by 2"),
            ),
        ),
    ),
)
