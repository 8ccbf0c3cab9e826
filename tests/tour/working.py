"""The work loop: taking, answering, sending, taking back; templates; notes and calls."""

from __future__ import annotations

from dataclasses import replace

from crm_core.inbox import handling
from crm_core.patients.search import find
from tests.tour.clinic import TourClinic
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed


def linked_to_cleo(clinic: TourClinic) -> None:
    """Somebody has found out that the text from a shared number was Cleo's."""
    found = clinic.see("lou", find, "cleo marsh").patients[0].patient_id
    clinic.do("lou", handling.link, clinic.all_in("scheduling")[1], found)


FIRST_TAKE = Step(
    title="Take the next",
    why="The most urgent item that Kim may work, claimed and opened in one step; no two people get the same one.",
    keys=("n",),
    verbs=("take_next",),
    shows=("C-1", "Fay Nolan"),
)
TAKE = replace(FIRST_TAKE, on_page=False)

SCENES = (
    Scene(
        title="The work loop",
        who="kim",
        why="Take, answer, close, and the next one is there; no list is looked through.",
        steps=(
            COME_IN,
            FIRST_TAKE,
            Step(
                title="Reply in one's own words",
                why="The composer's first line says to whom it goes; keys count only once that has been on the screen.",
                keys=("r", Typed("I am sorry about the wait. Our manager calls you today.")),
                verbs=("reply",),
                shows=("ctrl+s sends", "I am sorry about the wait."),
            ),
            Step(
                title="A draft is not left behind",
                why="What would end or move the conversation is refused while something is written and not sent.",
                keys=("escape", "d"),
                verbs=("close",),
                shows=("Your draft is unsent",),
            ),
            Step(
                title="Send",
                why="It is held for fifteen seconds.",
                keys=("r", "ctrl+s"),
                verbs=("send", "reply"),
                shows=("goes out in 15 s", "z takes it back", "waits to go"),
            ),
            Step(
                title="Take it back",
                why="Within those seconds z takes it back, and its text is a draft again.",
                keys=("z",),
                verbs=("undo",),
                shows=("taken back, never sent", "ctrl+s sends"),
            ),
            Step(
                title="Send it after all",
                why="Nobody takes it back this time; when the seconds are over it goes.",
                keys=("ctrl+s",),
                verbs=("send",),
                shows=("goes out in 15 s",),
            ),
            Step(
                title="It went",
                why="The line says that it was sent, and that the patient's answer is waited for.",
                passes=17,
                shows=("sent",),
                hides=("goes out in",),
            ),
            Step(
                title="The next one",
                why="What was answered needs nothing more, so n goes on at once.",
                keys=("n",),
                verbs=("take_next",),
                shows=("C-",),
                hides=("Fay Nolan",),
            ),
            Step(
                title="Unfinished work is asked about",
                why="With nothing decided, n first asks what happens with it: a time to come back, or giving it back.",
                keys=("n",),
                verbs=("take_next",),
                shows=("is unfinished: what happens with it?", "Give it back"),
            ),
            Step(
                title="The next in this lane",
                why="N takes the most urgent of the lane in view alone.",
                keys=("escape", "escape", "K", "N"),
                verbs=("take_next_here",),
                shows=("Ana Lopez · born", "C-4"),
            ),
        ),
    ),
    Scene(
        title="Templates",
        who="nora",
        why="Approved texts with this patient's fields filled in; a picker ranks those that fit first.",
        steps=(
            COME_IN,
            Step(
                title="The picker",
                why="Those that fit what was asked come first; the preview is filled with this patient's fields.",
                keys=("K", "enter", "t"),
                verbs=("template",),
                shows=("Refill:", "Ana"),
            ),
            Step(
                title="Type to narrow",
                why="Parts of words are enough.",
                keys=(Typed("pharm"),),
                shows=("Refill: sent to the pharmacy",),
            ),
            Step(
                title="Take one",
                why="Its text is in the composer, to be read and changed before it goes.",
                keys=("enter",),
                shows=("ctrl+s sends", "on its way to your pharmacy"),
            ),
            Step(
                title="A sentence of one's own",
                why="Some templates go only with one; it is asked for first.",
                keys=("ctrl+s", "t", Typed("sorry"), "enter"),
                shows=("A sentence of your own, for this patient",),
            ),
            Step(
                title="It is put where the template wants it",
                why="The rest is as it was approved.",
                keys=(Typed("I can see that you asked twice."), "enter"),
                shows=("I can see that you asked twice.", "ctrl+s sends"),
            ),
            Step(
                title="Discard",
                why="A draft is dropped after asking; the safe answer has the focus.",
                keys=("f8",),
                verbs=("discard",),
                shows=("Discard your draft?",),
            ),
            Step(
                title="It is gone",
                why="y says yes.",
                keys=("y",),
                shows=("Draft discarded",),
            ),
        ),
    ),
    Scene(
        title="Macros",
        who="nora",
        why="A template may also close, snooze or leave a task: it says so before, and z takes all of it back.",
        steps=(
            COME_IN,
            Step(
                title="What it will do besides",
                why="A macro's line in the picker and in the composer says what happens with the sending.",
                keys=("K", "enter", "t", Typed("you are welcome")),
                verbs=("template",),
                shows=("Message: you are welcome", "Then:"),
            ),
            Step(
                title="In the composer",
                why="It can still be read and changed.",
                keys=("enter",),
                shows=("You are welcome, Ana!", "ctrl+s sends"),
            ),
            Step(
                title="Sent and closed",
                why="Both in one unit.",
                keys=("ctrl+s",),
                verbs=("send",),
                shows=("C-4 answered · closes as resolved", "goes out in 15 s"),
            ),
            Step(
                title="Taken back together",
                why="The conversation is open again, and the text a draft.",
                keys=("z",),
                verbs=("undo",),
                shows=("ctrl+s sends", "You are welcome, Ana!"),
            ),
        ),
    ),
    Scene(
        title="What stops a text",
        who="kim",
        why="The wrong patient, and what does not belong in a message.",
        before=linked_to_cleo,
        steps=(
            COME_IN,
            Step(
                title="A number that two people share",
                why="It is named above the text.",
                keys=("K", "K", "j", "enter", "r", Typed("Cleo, your card 4111 1111 1111 1111 was charged.")),
                verbs=("reply",),
                shows=("shared by 2", "your card 4111"),
            ),
            Step(
                title="y says that it is meant",
                why="A shared or newly changed number needs one more key.",
                keys=("ctrl+s",),
                verbs=("send",),
                shows=("shared by 2",),
            ),
            Step(
                title="A card number does not leave",
                why="Nor does a social security number, a password or a one-time code.",
                keys=("y",),
                shows=("card number",),
            ),
        ),
    ),
    Scene(
        title="Where to send somebody",
        who="kim",
        why="The clinic's directory, searched while answering, by any name a service goes by.",
        steps=(
            COME_IN,
            Step(
                title="The directory",
                why="f5 in the composer or before it.",
                keys=("K", "enter", "r", "f5", Typed("blood test")),
                verbs=("directory", "reply"),
                shows=("Laboratory", "anyone in Refills"),
            ),
            Step(
                title="Into the text",
                why="Where it is, and how to book it.",
                keys=("enter",),
                shows=("ctrl+s sends", "Laboratory"),
            ),
        ),
    ),
    Scene(
        title="Notes and calls",
        who="kim",
        why="A note is for staff alone; a call that reached is an answer.",
        steps=(
            COME_IN,
            TAKE,
            Step(
                title="An internal note",
                why="Its composer says INTERNAL, and ctrl+s there only saves.",
                keys=("i", Typed("Front desk was two short on Friday.")),
                verbs=("note",),
                shows=("INTERNAL", "Front desk was two short on Friday."),
            ),
            Step(
                title="Saved",
                why="It stands in the thread as a note, and answers nobody: the clock runs on.",
                keys=("ctrl+s",),
                verbs=("send",),
                shows=("Note saved", "NOTE"),
            ),
            Step(
                title="Log a call",
                why="How it ended, then a word about it.",
                keys=("p",),
                verbs=("log_call",),
                shows=("how did it end?", "Reached the patient"),
            ),
            Step(
                title="What it was about",
                why="The reason, then a word of what was said; where nobody was reached, when to call again.",
                keys=("enter",),
                shows=("What was the call about C-",),
            ),
            Step(
                title="It reached",
                why="A call that reached stops the clock, as an answer does; a voicemail would not.",
                keys=("enter", Typed("Told her what happened"), "enter"),
                shows=("Call logged", "Told her what happened"),
            ),
        ),
    ),
)
