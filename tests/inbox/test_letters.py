"""Letters thread by the letter that they answer, and never into another patient's thread."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.channels.letters import letter_name
from crm_core.channels.model import Received, Screened
from crm_core.inbox import handling
from crm_core.inbox.alarms import acknowledge
from crm_core.inbox.answering import answers
from crm_core.inbox.model import State
from crm_core.patients.model import ContactKind, DraftContact, DraftIdentifier, PatientDraft
from crm_core.patients.saving import save_many
from crm_core.words import Channel
from tests.inbox.conftest import Clinic

MIA, SON = "mia@example.org", "son@example.org"


@pytest.fixture
def mia(clinic: Clinic) -> int:
    """A patient with an address."""
    return patient(clinic, "Mia", MIA, "2001")


def patient(clinic: Clinic, given: str, address: str, mrn: str) -> int:
    draft = PatientDraft(
        given=given,
        family="Webb",
        birth_date="1980-02-03",
        language="en",
        identifiers=(DraftIdentifier(system="urn:test", value=mrn, kind="MR"),),
        contacts=(DraftContact(kind=ContactKind.EMAIL, value=address),),
    )
    with clinic.crm.write(SYSTEM) as unit:
        saved = save_many(unit, [draft])[0]
    assert saved.patient_id is not None
    return saved.patient_id


def letter(clinic: Clinic, text: str, sender: str = MIA, **headers: object) -> Received:
    return clinic.text(text, sender, channel=Channel.EMAIL, **headers)


def left(crm: Crm) -> list[dict[str, object]]:
    """What was handed to the spool."""
    crm.courier.run_once()
    path: Path = crm.settings.home / "spool.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def our_id(crm: Crm, line: dict[str, object]) -> str:
    with crm.read(SYSTEM) as unit:
        return f"<{letter_name(unit, str(line['attempt']))}@clinic.example>"


REFILL = "Could you refill my metformin please"
BILL = "Why was I charged twice on my last bill?"


@pytest.mark.usefixtures("mia")
def test_an_answer_joins_the_thread_of_the_letter_it_answers_though_another_is_newer(clinic: Clinic) -> None:
    first = letter(clinic, REFILL, message_id="<a1@mail.example>")
    clinic.do(clinic.agent, handling.close, first.conversation_id, outcome="resolved")
    second = letter(clinic, BILL + " Please look into the charge on my card statement")
    assert second.conversation_id == first.conversation_id
    clinic.do(clinic.agent, answers.reply, clinic.crm.gate, first.conversation_id, "We will look into it.")
    ours = our_id(clinic.crm, left(clinic.crm)[-1])
    joined = letter(clinic, "And one more thing, was it paid?", in_reply_to=ours)
    assert joined.conversation_id == first.conversation_id


def test_with_two_open_threads_the_named_one_is_joined(clinic: Clinic, mia: int) -> None:
    known = letter(clinic, REFILL, message_id="<a1@mail.example>")
    other = letter(clinic, BILL, "new@example.org", message_id="<b1@mail.example>")
    clinic.do(clinic.agent, handling.link, other.conversation_id, mia)
    assert other.conversation_id != known.conversation_id
    for named, expected in (("<a1@mail.example>", known), ("<b1@mail.example>", other)):
        got = letter(clinic, "Is there any news about it?", references=("<zz@x.example>", named))
        assert got.conversation_id == expected.conversation_id
    # In-Reply-To outranks References, and the newest reference an older one.
    got = letter(clinic, "And today?", in_reply_to="<b1@mail.example>", references=("<a1@mail.example>",))
    assert got.conversation_id == other.conversation_id
    got = letter(clinic, "And now?", references=("<b1@mail.example>", "<a1@mail.example>"))
    assert got.conversation_id == known.conversation_id


@pytest.mark.usefixtures("mia")
def test_a_reference_to_another_patients_thread_never_joins_it(clinic: Clinic) -> None:
    patient(clinic, "Sam", SON, "2002")
    hers = letter(clinic, REFILL, message_id="<a1@mail.example>")
    clinic.do(clinic.agent, answers.reply, clinic.crm.gate, hers.conversation_id, "Which pharmacy, please?")
    ours = our_id(clinic.crm, left(clinic.crm)[-1])
    for sender in (SON, "stranger@example.org"):
        for named in ("<a1@mail.example>", ours):
            theirs = letter(clinic, "The one on Main Street, please", sender, in_reply_to=named)
            assert theirs.conversation_id != hers.conversation_id
    assert len(clinic.now_at(hers.conversation_id).messages) == 2


def test_an_unknown_address_joins_its_own_thread_by_reference(clinic: Clinic) -> None:
    first = letter(clinic, REFILL, "who@example.org", message_id="<u1@mail.example>")
    second = letter(clinic, "any news?", "who@example.org", in_reply_to="<u1@mail.example>")
    assert second.conversation_id == first.conversation_id
    other = letter(clinic, "any news?", "else@example.org", in_reply_to="<u1@mail.example>")
    assert other.conversation_id != first.conversation_id


def test_an_address_two_patients_share_is_told_apart_by_the_letter_it_answers(clinic: Clinic, mia: int) -> None:
    patient(clinic, "Tom", MIA, "2003")
    first = letter(clinic, REFILL, message_id="<s1@mail.example>")
    clinic.do(clinic.agent, handling.link, first.conversation_id, mia)
    answer = letter(clinic, "The one on Main Street", in_reply_to="<s1@mail.example>")
    assert (answer.conversation_id, answer.patient_id) == (first.conversation_id, mia)


@pytest.mark.usefixtures("mia")
def test_an_answer_to_what_is_closed_reopens_that_one_for_five_working_days(clinic: Clinic) -> None:
    first = letter(clinic, REFILL, message_id="<c1@mail.example>")
    clinic.do(clinic.agent, handling.close, first.conversation_id, outcome="resolved")
    thanks = letter(clinic, "Thank you!\n\nOn Mon, Nov 23, 2026 C <c@x.example> wrote:\n> Was it all right?",
                    in_reply_to="<c1@mail.example>")  # fmt: skip
    assert thanks.conversation_id == first.conversation_id
    assert clinic.now_at(first.conversation_id).state is State.CLOSED
    again = letter(clinic, "It was the wrong dose", in_reply_to="<c1@mail.example>")
    assert again.conversation_id == first.conversation_id
    assert clinic.now_at(first.conversation_id).state is State.OPEN


@pytest.mark.usefixtures("mia")
def test_a_machines_letter_leaves_what_is_closed_closed(clinic: Clinic) -> None:
    first = letter(clinic, REFILL)
    clinic.do(clinic.agent, handling.close, first.conversation_id, outcome="resolved")
    got = letter(clinic, "I am on a boat until May. Write to my sister.", automatic=True)
    assert got.conversation_id == first.conversation_id
    shown = clinic.now_at(first.conversation_id)
    assert (shown.state, shown.messages[-1].kind) == (State.CLOSED, "automatic")


@pytest.mark.usefixtures("mia")
def test_our_letter_says_what_it_answers_and_our_next_one_names_the_thread(clinic: Clinic) -> None:
    first = letter(clinic, REFILL, message_id="<d1@mail.example>", references=("<d0@mail.example>",))
    clinic.do(clinic.agent, answers.reply, clinic.crm.gate, first.conversation_id, "Which pharmacy, please?")
    assert left(clinic.crm)[-1]["in_reply_to"] == "<d1@mail.example>"
    letter(clinic, "Main Street", message_id="<d2@mail.example>", in_reply_to="<whatever@x.example>")
    clinic.do(clinic.agent, answers.reply, clinic.crm.gate, first.conversation_id, "Thank you, it is sent.")
    assert left(clinic.crm)[-1]["in_reply_to"] == "<d2@mail.example>"


QUOTED = "\n\nOn Mon, Nov 23, 2026 at 9:14 AM Clinic <c@x.example> wrote:\n> "
HURTS = "I have crushing chest pain"


@pytest.mark.usefixtures("mia")
def test_an_old_danger_that_is_quoted_does_not_alarm_again_and_a_new_one_does(clinic: Clinic) -> None:
    first = letter(clinic, HURTS)
    clinic.do(clinic.nurse, acknowledge, first.conversation_id)
    quoted = QUOTED + "I have crushing\n>  chest pain!\n"
    calm = letter(clinic, "Thank you for the call, I feel fine. May I have the report?" + quoted)
    assert calm.conversation_id == first.conversation_id
    assert clinic.now_at(calm.conversation_id).messages[-1].screened is Screened.CLEAR
    nested = "Thank you for the call, I feel fine. May I have\n> the report?" + quoted.replace("\n", "\n> ")
    again = letter(clinic, "Did you get that?" + QUOTED + nested)
    assert clinic.now_at(again.conversation_id).messages[-1].screened is Screened.CLEAR
    letter(clinic, HURTS + " again" + quoted)
    assert clinic.now_at(calm.conversation_id).danger


@pytest.mark.usefixtures("mia")
def test_what_our_own_letter_says_of_danger_does_not_alarm_when_it_is_quoted(clinic: Clinic) -> None:
    ours = "Come on Thursday. If you have chest pain, call 911.\n\n--\nLakeside Clinic"
    number = letter(clinic, "When may I come?").conversation_id
    clinic.do(clinic.agent, answers.reply, clinic.crm.gate, number, ours)
    letter(clinic, "Thursday it is" + QUOTED + ours.replace("\n", "\n> "))
    assert not clinic.now_at(number).danger


@pytest.mark.usefixtures("mia")
@pytest.mark.parametrize(
    "quoted",
    [
        "Hi, I feel bad, my chest hurts badly and I can't breathe.\n> Dad\n",
        HURTS + "\n",
        "me quiero matar",
    ],
)
@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.PORTAL])
def test_a_danger_that_is_quoted_and_new_to_us_alarms_on_every_channel(
    clinic: Clinic, channel: Channel, quoted: str
) -> None:
    sender = "daughter@example.org" if channel is Channel.EMAIL else "+1 646 555 0201"
    got = clinic.text("Please see what my father wrote, can somebody look at it?" + QUOTED + quoted, sender,
                      channel=channel, subject="Fwd: today" if channel is Channel.EMAIL else None)  # fmt: skip
    assert (got.lane, got.priority, clinic.now_at(got.conversation_id).danger) == ("clinical_triage", "stat", True)


@pytest.mark.usefixtures("mia")
def test_a_danger_known_from_another_address_or_quoted_alone_alarms_again(clinic: Clinic) -> None:
    clinic.do(clinic.nurse, acknowledge, letter(clinic, HURTS).conversation_id)
    assert clinic.now_at(letter(clinic, "Look" + QUOTED + HURTS, SON).conversation_id).danger
    assert clinic.now_at(letter(clinic, QUOTED.strip() + " " + HURTS).conversation_id).danger


@pytest.mark.usefixtures("mia")
def test_a_long_quotation_does_not_vouch_for_a_language_that_nobody_screens(clinic: Clinic) -> None:
    said = "Please come to the clinic on Thursday at ten in the morning and bring your card. "
    got = letter(clinic, "Toi bi dau nguc va kho tho qua bac si oi cuu toi voi" + QUOTED + said * 5)
    assert clinic.now_at(got.conversation_id).messages[-1].screened is not Screened.CLEAR


@pytest.mark.usefixtures("mia")
@pytest.mark.parametrize(
    "text",
    [
        "> I have crushing chest pain",
        "> fever\n> and I have crushing chest pain",
        "On Mon, Nov 23, 2026 C <c@x.example> wrote:\n> How are you?\nI have crushing chest pain\n> Write to us.",
        "ok\n-----Original Message-----\nFrom: me\nI have crushing chest pain",
        "--\nI have crushing chest pain",
    ],
)
def test_what_is_not_surely_quoted_is_always_screened(clinic: Clinic, text: str) -> None:
    assert clinic.now_at(letter(clinic, text).conversation_id).danger


@pytest.mark.usefixtures("mia")
def test_what_is_quoted_does_not_route(clinic: Clinic) -> None:
    quoted = "\n\nOn Mon, Nov 23, 2026 at 9:14 AM Clinic <c@x.example> wrote:\n> Why was I charged twice on my bill?\n"
    assert letter(clinic, REFILL + quoted).category == "refill"


def test_hostile_ids_are_passed_over(clinic: Clinic) -> None:
    for odd in ("<a\r\nBcc: x@y.example>", "no brackets", "<>" * 1000, "<" + "x" * 5000 + "@y>", "\x00"):
        got = letter(clinic, REFILL, f"odd{abs(hash(odd))}@example.org", message_id=odd, in_reply_to=odd)
        assert got.conversation_id is not None
