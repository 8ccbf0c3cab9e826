"""The end of a shift: what I own, whom I give it to, what a colleague gives me."""

from __future__ import annotations

from crm_core.inbox import take
from crm_core.inbox.sharing import handover
from tests.tour.clinic import TourClinic
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed


def the_shift_so_far(clinic: TourClinic) -> None:
    """Kim has two refills; Lou hands over a bill."""
    for number in clinic.all_in("refills"):
        clinic.do("kim", take.claim, number)
    bill = clinic.first_in("billing")
    clinic.do("lou", take.claim, bill)
    clinic.do(
        "lou", handover.offer, bill, clinic.actor("kim").staff_id, words="He calls back at noon about the second bill."
    )


SCENES = (
    Scene(
        title="Handing a shift over",
        who="kim",
        why="Nothing changes hands unseen: each item stays its giver's until the receiver has accepted it.",
        before=the_shift_so_far,
        steps=(
            COME_IN,
            Step(
                title="The list",
                why="`:handoff`: what is handed to me, then what is mine, first what has no next step.",
                keys=(":", Typed("handoff"), "enter"),
                verbs=("handoff",),
                shows=("1 handed to you", "2 yours", "HANDED TO YOU"),
            ),
            Step(
                title="Answer what is handed to me",
                why="Accept it, decline it with the reason, or read it first.",
                keys=("enter",),
                verbs=("open",),
                shows=("is handed to you", "He calls back at noon about the second bill.", "Decline it"),
            ),
            Step(
                title="Accepted",
                why="It is Kim's from now on.",
                keys=("enter",),
                shows=("Yours now",),
            ),
            Step(
                title="Give mine to a colleague",
                why="h offers the marked rows, or the one under the cursor, with a word about them.",
                keys=("h", Typed("lou"), "enter", Typed("Pharmacy opens at one.")),
                verbs=("hand_to",),
                shows=("Lou Barnes", "what they should know, or nothing", "Pharmacy opens at one."),
            ),
            Step(
                title="Offered",
                why="It stays Kim's until Lou accepts it.",
                keys=("enter",),
                shows=("Offered; yours until accepted",),
            ),
        ),
    ),
)
