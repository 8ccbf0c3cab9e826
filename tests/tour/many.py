"""Views, marks, acting on several at once, and the journal of what was done."""

from __future__ import annotations

from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed

SCENES = (
    Scene(
        title="Views",
        who="sam",
        why="A view is a filter with a name over all my lanes.",
        steps=(
            COME_IN,
            Step(
                title="Which view",
                why="Those that ship, each with its count, then those saved here.",
                keys=("V",),
                verbs=("views",),
                shows=("Which view?", "Unowned"),
            ),
            Step(
                title="All that nobody has",
                why="From all lanes, in working order.",
                keys=(Typed("unowned"), "enter"),
                shows=("FILTERED", "all my lanes", "Fay Nolan", "Eli Ward"),
            ),
            Step(
                title="A filter of one's own",
                why="Fields and words add up; what is not understood is named beneath with what is allowed.",
                keys=("escape", "/", Typed("lane:refills,billing owner:nobody"), "enter"),
                verbs=("filter", "back"),
                shows=("FILTERED 3 of", "Ana Lopez", "Eli Ward"),
            ),
            Step(
                title="Save it",
                why="From the palette: for me, or by a supervisor for everybody.",
                keys=(":", Typed("save view"), "enter", Typed("every"), "enter", Typed("Refills and bills"), "enter"),
                verbs=("save_view",),
                shows=("Saved: Refills and bills · V shows it",),
            ),
            Step(
                title="Rename it",
                why="Its owner, or a supervisor.",
                keys=(":", Typed("rename view"), "enter", "enter", Typed("Pills and bills"), "enter"),
                verbs=("rename_view",),
                shows=("Renamed: Pills and bills",),
            ),
            Step(
                title="Drop it",
                why="The conversations stay as they are.",
                keys=(":", Typed("drop view"), "enter", "enter"),
                verbs=("drop_view",),
                shows=("Dropped: Pills and bills",),
            ),
        ),
    ),
    Scene(
        title="Several at once",
        who="sam",
        why="Marks stay over pages and filters; a verb then works on all of them, after their number has been typed.",
        steps=(
            COME_IN,
            Step(
                title="Mark",
                why="Space marks a row, by a sign and not by colour alone.",
                keys=("K", "space"),
                verbs=("mark",),
                shows=("✓", "1 marked"),
            ),
            Step(
                title="Mark all that match",
                why="* marks everything the list shows, on every page of it; once more unmarks.",
                keys=("*",),
                verbs=("mark_all",),
                shows=("Marked 2 · * once more unmarks",),
            ),
            Step(
                title="What would happen",
                why="The count, samples, and what is left out and why.",
                keys=("s", Typed("fri 10:00"), "enter"),
                verbs=("snooze",),
                shows=("2 conversations?", "Ana Lopez", "Bo Iversen", "type 2 and press enter"),
            ),
            Step(
                title="Type the number to go",
                why="Nothing happens to many by a slip of one key.",
                keys=(Typed("2"), "enter"),
                shows=("Snoozed until Fri 27 Nov 10:00 · 2 done",),
            ),
            Step(
                title="The journal",
                why="My last fifty acts, with what stands against taking each back; it survives a restart.",
                keys=(":", Typed("undo journal"), "enter"),
                verbs=("undo_journal",),
                shows=("snoozed",),
            ),
            Step(
                title="Take one back from it",
                why="Enter takes back the act under the cursor: here both conversations with it.",
                keys=("enter",),
                shows=("Taken back",),
            ),
        ),
    ),
)
