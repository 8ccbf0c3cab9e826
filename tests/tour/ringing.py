"""The telephone rings: whom it may be, before anybody answers."""

from __future__ import annotations

from crm_core.access.model import SYSTEM
from crm_core.channels.ringing.model import Ringing
from crm_core.channels.ringing.service import offer
from tests.tour.clinic import CLEO, TourClinic
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed


def the_telephone_rings(clinic: TourClinic) -> None:
    """From the number that Cleo and her daughter share."""
    call = Ringing(call_id="tour", number=CLEO, line="front desk", at=clinic.crm.clock.now())
    with clinic.crm.write(SYSTEM) as unit:
        offer(unit, call)


SCENES = (
    Scene(
        title="The telephone rings",
        who="kim",
        why="A telephone system tells `crm listen` who calls; the console shows it in every mode until it is answered.",
        steps=(
            COME_IN,
            Step(
                title="Somebody calls",
                why="The last four digits, and how many patients use that number; behind the curtain the count alone.",
                meanwhile=the_telephone_rings,
                meanwhile_says="Cleo's number rings at the front desk.",
                shows=("RINGING ···0103 · 2 candidates · front desk",),
            ),
            Step(
                title="Whom it may be",
                why="`:ringing` names everybody who uses the number; enter opens a record, p logs the call.",
                keys=(":", Typed("ringing"), "enter"),
                verbs=("ringing",),
                shows=("Cleo Marsh", "Dana Marsh", "shared by 2"),
            ),
            Step(
                title="Log the call",
                why="In the patient's open conversation, or in one that the call begins.",
                keys=("p",),
                shows=("how did it end?",),
            ),
        ),
    ),
)
