"""Danger, and the questions why."""

from __future__ import annotations

from tests.tour.clinic import BO, TourClinic
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step
from tests.tour.working import TAKE


def chest_pain(clinic: TourClinic) -> None:
    """Bo writes what no list of work may hide."""
    clinic.text(BO, "I have chest pain and my left arm is numb")


SCENES = (
    Scene(
        title="Danger",
        who="nora",
        why="A text that sounds like an emergency stands above everything, on every screen, and rings.",
        steps=(
            COME_IN,
            Step(
                title="The alarm line",
                why="The top row of every screen, with its age and whether somebody has it.",
                meanwhile=chest_pain,
                meanwhile_says="Bo Iversen texts: “I have chest pain and my left arm is numb”.",
                shows=("1 DANGER", "nobody has it · ! opens"),
            ),
            Step(
                title="Open the alarm",
                why="! opens the oldest that nobody has acknowledged.",
                keys=("!",),
                verbs=("open_alarm",),
                shows=("Bo Iversen", "chest pain"),
            ),
            Step(
                title="Acknowledge",
                why="It is asked, because it cannot be undone.",
                keys=("A",),
                verbs=("acknowledge",),
                shows=("Acknowledge the danger in C-", "cannot be undone"),
            ),
            Step(
                title="It is Nora's",
                why="The line is quiet again for everyone.",
                keys=("y",),
                shows=("Yours: reach the patient now", "No alarm"),
            ),
        ),
    ),
    Scene(
        title="Danger, at an agent's desk",
        who="kim",
        why="Who may not put a danger aside is told so at the key, and whom to fetch.",
        steps=(
            COME_IN,
            Step(
                title="Whom to fetch",
                why="An agent sees the alarm's age, who has it, and the role to fetch.",
                keys=("!",),
                verbs=("open_alarm",),
                meanwhile=chest_pain,
                meanwhile_says="Bo Iversen texts: “I have chest pain and my left arm is numb”.",
                shows=("nobody has it · fetch a nurse",),
            ),
            Step(
                title="No verb puts it aside",
                why="Snoozing, moving, escalating and closing it are a clinician's.",
                keys=("escape", "s"),
                verbs=("snooze",),
                shows=("only a clinician may put it aside",),
            ),
        ),
    ),
    Scene(
        title="Why?",
        who="kim",
        why="Every route, every refusal and every clock can be asked about.",
        steps=(
            COME_IN,
            TAKE,
            Step(
                title="Why is it here?",
                why="The rule that routed it with what it saw, and each step since.",
                keys=("w",),
                verbs=("why",),
                shows=("Why? C-",),
            ),
            Step(
                title="How was the clock counted?",
                why="What counted, what was paused, closed or a holiday; the parts add up to the figure.",
                keys=("escape", "W"),
                verbs=("clock",),
                shows=("counted",),
            ),
        ),
    ),
)
