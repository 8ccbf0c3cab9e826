"""What patients agreed to, who speaks for them, and what a death stops."""

from __future__ import annotations

from crm_core.inbox.answering.answers import reply
from tests.tour.clinic import GUS, TourClinic
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed

NO_MORE = "please stop texting me"


def no_more_texts(clinic: TourClinic) -> None:
    """Gus has an answer on its way, and may want none."""
    number = clinic.text(GUS, "And on which floor are you?")
    clinic.do("kim", reply, clinic.crm.gate, number, "We are on the second floor.")
    clinic.text(GUS, NO_MORE)


SCENES = (
    Scene(
        title="Consent and who speaks",
        who="kim",
        why="What a patient says is written down once and never changed; what binds one who writes binds all.",
        before=no_more_texts,
        steps=(
            COME_IN,
            Step(
                title="A patient's record",
                why="Consents, the patient's own order and proxies stand under who it is.",
                keys=("ctrl+f", Typed("lopez"), "enter"),
                shows=("Ana Lopez",),
                on_page=False,
            ),
            Step(
                title="Record consent",
                why="Which way, about what, what was said and how, and what it rests on.",
                keys=(
                    ":", Typed("record consent"), "enter", Typed("sms"), "enter", Typed("plain"), "enter",
                    Typed("granted phone"), "enter", Typed("She heard it and agreed"), "enter",
                ),
                verbs=("record_consent",),
                shows=("Was this read out", "are not protected"),
            ),
            Step(
                title="After the warning",
                why="The version of the wording is kept with it; the newest entry counts.",
                keys=("y",),
                shows=("plain content · GRANTED",),
            ),
            Step(
                title="One way only",
                why="A request for confidential communication, in the patient's words; the composer says so.",
                keys=(
                    ":", Typed("one way only"), "enter", Typed("to"), "enter", Typed("Not at home, please"), "enter",
                ),
                verbs=("only_way",),
                shows=("ONLY BY",),
            ),
            Step(
                title="How to be reached",
                why="The first choice, then the next.",
                keys=(
                    ":", Typed("how to be reached"), "enter", Typed("voice"), "enter", Typed("sms"), "enter",
                    Typed("that is all"), "enter",
                ),
                verbs=("prefer",),
                shows=("voice, sms",),
            ),
            Step(
                title="A proxy",
                why="What they are to the patient, what they may, and their number.",
                keys=(
                    ":", Typed("add a proxy"), "enter", Typed("parent"), "enter", Typed("Ida Lopez"), "enter",
                    Typed("speaks for"), "enter", Typed("212-555-0188"), "enter",
                ),
                verbs=("add_proxy",),
                shows=("Ida Lopez · parent",),
            ),
            Step(
                title="A proxy no more",
                why="From now on they may neither speak nor receive.",
                keys=(":", Typed("end a proxy"), "enter", "enter"),
                verbs=("end_proxy",),
                shows=("Ended",),
                hides=("Ida Lopez",),
            ),
            Step(
                title="A death",
                why="Asked once more: what it cancels does not come back, and nothing goes to anybody else.",
                keys=(":", Typed("patient has died"), "enter", "y"),
                verbs=("patient_died",),
                shows=("DECEASED",),
            ),
            Step(
                title="May want no more",
                why="What was queued to the number waits until somebody decides.",
                keys=("escape", "ctrl+f", Typed("petrov"), "enter", "enter"),
                shows=("Gus Petrov", NO_MORE),
                on_page=False,
            ),
            Step(
                title="Decide about a held number",
                why="No more texts, or what waits goes on through the contact gate.",
                keys=(
                    ":", Typed("held number"), "enter", Typed("no more"), "enter", Typed("Wants none at all"), "enter",
                ),
                verbs=("decide_number",),
                shows=("gets no more texts", "1 cancelled"),
            ),
        ),
    ),
)  # fmt: skip
