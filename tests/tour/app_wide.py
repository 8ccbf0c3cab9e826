"""Tasks, and what the app itself does: help, palette, curtain, theme, lock, the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_core.access.model import SYSTEM
from crm_core.timers import heartbeats
from crm_core.timers.model import Alive
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed
from tests.tour.working import TAKE

if TYPE_CHECKING:
    from tests.tour.clinic import TourClinic


def _a_poller_runs(clinic: TourClinic) -> None:
    kinds = tuple(dict.fromkeys(chore.kind for chore in clinic.crm.chores))
    with clinic.crm.write(SYSTEM) as unit:
        heartbeats.begin(unit, Alive(host="back-office", process=812, kinds=kinds, inside_console=False))


SCENES = (
    Scene(
        title="Tasks",
        who="kim",
        why="What is to be done besides answering, by whom and by when.",
        steps=(
            COME_IN,
            TAKE,
            Step(
                title="Add a task",
                why="When it is due, then what is to be done; from a conversation it keeps the patient.",
                keys=("T", "enter", Typed("Ask the front desk about Friday")),
                verbs=("add_task",),
                shows=("A task of yours from C-", "Ask the front desk about Friday"),
            ),
            Step(
                title="Added",
                why="It has a number of its own.",
                keys=("enter",),
                shows=("Added: T-",),
            ),
            Step(
                title="Mode 4",
                why="The open tasks, those due first on top: mine and my roles', or with o all that Kim may see.",
                keys=("4",),
                verbs=("mode_tasks",),
                shows=("Mine, and for my roles", "Ask the front desk about Friday"),
            ),
            Step(
                title="Mine, or all",
                why="o shows the others', too.",
                keys=("o",),
                verbs=("mine_or_all",),
                shows=("All tasks",),
            ),
            Step(
                title="Done",
                why="d asks how it ended; what a task requires to be known is asked for first.",
                keys=("d", "enter"),
                verbs=("close",),
                shows=("Done · z undoes",),
            ),
            Step(
                title="Undo",
                why="z takes it back.",
                keys=("z",),
                verbs=("undo",),
                shows=("Taken back: T-",),
            ),
            Step(
                title="Back to the lanes",
                why="A number shows another mode; each keeps its place.",
                keys=("1",),
                verbs=("mode_lanes",),
                shows=("open ·",),
            ),
        ),
    ),
    Scene(
        title="The app",
        who="kim",
        why="What works everywhere.",
        steps=(
            COME_IN,
            Step(
                title="Help",
                why="What the keys do on this screen.",
                keys=("?",),
                verbs=("help",),
                shows=("Go to the most urgent row.", "esc closes"),
            ),
            Step(
                title="Palette",
                why="Every command by name, for a key one does not know.",
                keys=("escape", ":", Typed("snoo")),
                verbs=("palette",),
                shows=("Snooze",),
            ),
            Step(
                title="Curtain",
                why="f2 masks identities, for somebody who looks over a shoulder; nothing is sent meanwhile.",
                keys=("escape", "K", "K", "f2"),
                verbs=("curtain",),
                shows=("•••",),
                hides=("Petrov",),
            ),
            Step(
                title="Pollers",
                why="Which processes send, take in and fire what is due, and whether any of it is late.",
                keys=("f2", ":", Typed("pollers"), "enter"),
                verbs=("pollers",),
                meanwhile=_a_poller_runs,
                meanwhile_says="A poller runs on another host.",
                shows=("back-office", "nothing due"),
            ),
            Step(
                title="Lock",
                why="An empty screen with the alarms' count; what was being written is kept.",
                keys=("escape", "ctrl+l"),
                verbs=("lock",),
                shows=("Locked", "Kim Reyes"),
                hides=("open ·",),
            ),
            Step(
                title="Unlock",
                why="Everything is as it was; two minutes without a key would have locked it as well.",
                keys=("enter",),
                shows=("Gus Petrov",),
            ),
            Step(
                title="Theme",
                why="Dark, light or high contrast, from the palette.",
                keys=(":", Typed("theme")),
                verbs=("theme",),
                shows=("Change theme",),
            ),
            Step(
                title="Quit",
                why="ctrl+q ends the session and the program; drafts, lane and cursor are kept.",
                keys=("escape", "ctrl+q"),
                verbs=("quit",),
                ends=True,
            ),
        ),
    ),
)
