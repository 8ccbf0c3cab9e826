"""Threads set right: two of one person, two needs in one, the wrong patient; an answer for later; two at one desk."""

from __future__ import annotations

from crm_core.inbox import handling
from crm_core.inbox.answering import answers
from crm_core.inbox.sharing import presence
from crm_core.patients.search import find
from tests.tour.clinic import ANA, TourClinic
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed


def two_of_ana(clinic: TourClinic) -> None:
    """A stranger turned out to be Ana, too."""
    clinic.do("lou", handling.link, clinic.last_in("scheduling"), _patient(clinic, "lopez"))


def two_needs(clinic: TourClinic) -> None:
    """Ana asks about something else in the same thread."""
    clinic.text(ANA, "And what does the bill of 40 dollars stand for?")


def _patient(clinic: TourClinic, name: str) -> int:
    return int(clinic.see("lou", find, name).patients[0].patient_id)


def lou_is_writing(clinic: TourClinic) -> None:
    """Lou has the same conversation open and types."""
    clinic.do("lou", presence.here, clinic.first_in("refills"), writing=True)


def lou_answers(clinic: TourClinic) -> None:
    """Lou's answer goes first."""
    clinic.do("lou", answers.reply, clinic.crm.gate, clinic.first_in("refills"), "We have your request, Ana.")


_OPEN_ANA = Step(
    title="Ana's refill",
    why="The first in the refills.",
    keys=("K", "enter"),
    shows=("Ana Lopez · born",),
    on_page=False,
)

SCENES = (
    Scene(
        title="Two conversations of one person",
        who="kim",
        why="What else is open of the same person is told, and one thread is made of two.",
        before=two_of_ana,
        steps=(
            COME_IN,
            _OPEN_ANA,
            Step(
                title="Merge",
                why="M offers the duplicates: what else is open of the same person.",
                keys=("M",),
                verbs=("merge",),
                shows=("Merge which conversation into C-4?", "C-8"),
            ),
            Step(
                title="Which leads where",
                why="It is asked first: the other's number leads here from then on.",
                keys=("enter",),
                shows=("Merge C-8 into C-4?", "its number leads here"),
            ),
            Step(
                title="Merged",
                why="Both threads in the order in which they were written; z undoes while nothing newer happened.",
                keys=("y",),
                shows=("C-8 merged into it · z undoes", "my mother's appointment"),
            ),
            Step(
                title="Undo",
                why="Two again.",
                keys=("z",),
                verbs=("undo",),
                shows=("Taken back",),
                hides=("my mother's appointment",),
            ),
        ),
    ),
    Scene(
        title="Two needs in one thread",
        who="kim",
        why="A refill and a bill go to different people: the thread is split from a message on.",
        before=two_needs,
        steps=(
            COME_IN,
            _OPEN_ANA,
            Step(
                title="Split",
                why="From which message on; the first cannot go, since nothing would be left.",
                keys=("S",),
                verbs=("split",),
                shows=("from which message on?", "nothing would be left before it"),
            ),
            Step(
                title="Where it goes",
                why="By the rules, from what was said in it, or to a lane of one's choice.",
                keys=("enter",),
                shows=("Where does the new conversation go?", "Where the rules send it"),
            ),
            Step(
                title="A conversation of its own",
                why="Both clocks count as if it had been two from the beginning.",
                keys=("enter",),
                shows=("is a conversation of its own now · z undoes",),
                hides=("bill of 40 dollars",),
            ),
            Step(
                title="Category and priority",
                why="C says what it is about and how urgent, where the rules did not; its clocks follow.",
                keys=("C", Typed("result"), "enter", Typed("urgent"), "enter"),
                verbs=("classify",),
                shows=("Reclassified · z undoes",),
            ),
        ),
    ),
    Scene(
        title="With the wrong patient",
        who="nora",
        why="A nurse or a supervisor moves a conversation to the patient it is about; both audits say so.",
        steps=(
            COME_IN,
            _OPEN_ANA,
            Step(
                title="Whose it is",
                why="P asks whose it is, then why, then whether the number goes along.",
                keys=("P", Typed("iversen")),
                verbs=("relink",),
                shows=("Whose is C-4?", "Bo Iversen"),
            ),
            Step(
                title="Both names, before it is done",
                why="What is queued to the patient before is stopped.",
                keys=("enter", "enter", "enter"),
                shows=("Move C-4 to another patient?", "Ana Lopez now, and will be with Bo Iversen"),
            ),
            Step(
                title="Moved",
                why="The identity line names the other patient; z undoes.",
                keys=("y",),
                shows=("Moved to the other patient · z undoes", "Bo Iversen · born"),
            ),
        ),
    ),
    Scene(
        title="An answer for later",
        who="kim",
        why="It goes at its time; everything is asked again then, and where something newer came it is a draft again.",
        steps=(
            COME_IN,
            _OPEN_ANA,
            Step(
                title="Send later",
                why="f6 in place of ctrl+s asks when.",
                keys=("r", Typed("Your refill is ready, Ana."), "f6"),
                verbs=("send_later", "reply"),
                shows=("When does the answer in C-4", "Tomorrow 9:00"),
            ),
            Step(
                title="Set",
                why="The line says when it goes.",
                keys=(Typed("14:30"), "enter"),
                shows=("C-4 goes Mon 23 Nov 14:30 · z takes it back · f6 changes it",),
            ),
            Step(
                title="Another time, or not at all",
                why="f6 again changes the time or takes it back.",
                keys=("f6",),
                verbs=("send_later",),
                shows=("When instead?", "Take it back"),
            ),
            Step(
                title="Taken back",
                why="It is its author's draft.",
                keys=(Typed("take"), "enter"),
                shows=("Taken back: it is a draft",),
            ),
        ),
    ),
    Scene(
        title="Two at one desk",
        who="kim",
        why="Who else is here is seen; the first answer goes, the second is stopped and kept.",
        steps=(
            COME_IN,
            _OPEN_ANA,
            Step(
                title="Somebody else is writing",
                why="A line above the status line, until thirty seconds after the last sign.",
                meanwhile=lou_is_writing,
                meanwhile_says="Lou Barnes opens the same conversation and begins to write.",
                keys=("r", Typed("On its way.")),
                verbs=("reply",),
                shows=("Lou Barnes is writing", "On its way."),
            ),
            Step(
                title="The first answer goes",
                why="Lou's shows at once, and that it came while Kim was writing.",
                meanwhile=lou_answers,
                meanwhile_says="Lou sends.",
                passes=2,
                shows=("We have your request, Ana.",),
            ),
            Step(
                title="The second is stopped",
                why="It does not go before what is newer has been read; the text is kept.",
                keys=("ctrl+s",),
                verbs=("send",),
                shows=("On its way.",),
            ),
        ),
    ),
)
