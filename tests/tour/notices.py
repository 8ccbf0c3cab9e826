"""What the house sends by itself, and whom it calls instead."""

from __future__ import annotations

from datetime import timedelta

from crm_core.access.model import SYSTEM
from crm_core.channels.notices.model import NewNotice
from crm_core.channels.notices.service import plan_notice
from crm_core.patients.preferences import prefer
from crm_core.patients.search import find
from crm_core.timers.chore import TimersChore
from crm_core.words import Channel, Purpose
from tests.tour.clinic import TourClinic
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed


def fay_wants_calls(clinic: TourClinic) -> None:
    """Fay, who wants to be called, was to get a notice by now."""
    with clinic.crm.read(SYSTEM) as reading:
        fay = find(reading, "nolan").patients[0].patient_id
    with clinic.crm.write(SYSTEM) as unit:
        prefer(unit, fay, [Channel.VOICE])
        plan_notice(
            unit,
            NewNotice(
                patient_id=fay,
                occasion="recall-1",
                step="first",
                purpose=Purpose.CARE,
                template_key="please_call_us",
                due_at=clinic.crm.clock.now() - timedelta(minutes=5),
                source="tour",
            ),
        )
    TimersChore(clinic.crm.units, clinic.crm.timer_handlers).run(lambda: False)


SCENES = (
    Scene(
        title="What goes by itself",
        who="kim",
        why="A notice is planned by hand here, and by other rooms later; what became of each can be asked.",
        before=fay_wants_calls,
        steps=(
            COME_IN,
            Step(
                title="A patient's record",
                why="Under the conversations stands what is planned for the patient.",
                keys=("ctrl+f", Typed("lopez"), "enter"),
                verbs=("find_patient",),
                shows=("Ana Lopez", "Sent by the house", "nothing is planned"),
            ),
            Step(
                title="Plan a notice",
                why="From the palette: which template, when it goes, when the visit is, whether it asks.",
                keys=(":", Typed("plan a notice"), "enter"),
                verbs=("plan_notice",),
                shows=("What is to be sent?", "Visit: will you come?"),
            ),
            Step(
                title="It goes tomorrow",
                why="Its time, then the visit's, then what it asks.",
                keys=(Typed("visit: will"), "enter", Typed("2h"), "enter", Typed("2d"), "enter", "enter"),
                shows=("Planned: N-", "visit_confirm", "planned"),
            ),
            Step(
                title="Why did it go, or not?",
                why="w shows all of it, and after its time every reason of the gate's.",
                keys=("w",),
                verbs=("why",),
                shows=("visit_confirm", "confirmation", "send by"),
            ),
            Step(
                title="Cancel it",
                why="With a reason; where it went already, its question would be void.",
                keys=("escape", ":", Typed("cancel the notice"), "enter", Typed("moved by phone"), "enter"),
                verbs=("cancel_notice",),
                shows=("is taken back", "cancelled", "moved by phone"),
            ),
            Step(
                title="The call list",
                why="Fay wants to be called: her notice is a task of mode 4.",
                keys=("escape", "4"),
                verbs=("mode_tasks",),
                shows=("Call: Please call us", "Fay Nolan"),
            ),
            Step(
                title="Log the call",
                why="p shows the number to dial and asks how it ended; three times without her, and it is given up.",
                keys=("p",),
                verbs=("log_call",),
                shows=("call 1 of 3 to", "No answer"),
            ),
            Step(
                title="No answer",
                why="It is due again a day on, in the clinic's hours.",
                keys=(Typed("no answer"), "enter", "enter", "enter"),
                shows=("call 1 of 3, again",),
            ),
        ),
    ),
)
