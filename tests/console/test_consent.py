"""Consent, proxies and deaths from a patient's record; a held number from its conversation."""

from __future__ import annotations

from crm_core.access.model import SYSTEM, Role
from crm_core.channels.consent.queries import card
from crm_core.channels.consent.service import ask_for_confidence
from crm_core.channels.model import Delivery
from crm_core.inbox.answering.answers import reply
from crm_core.patients.model import ContactKind, DraftContact, DraftIdentifier, PatientDraft, Relation
from crm_core.patients.proxies import add_proxy, proxies
from crm_core.patients.queries import patient
from crm_core.patients.saving import save_many
from crm_core.patients.service import ensure_contact_point
from crm_core.words import Channel
from tests.console.conftest import Account, Clinic
from tests.console.hands import Hands, console
from tests.inbox.looking import outbox_rows

MOTHER = "+1 212 555 0188"


async def record_of(hands: Hands, name: str) -> None:
    """Open somebody's record."""
    await hands.press("ctrl+f")
    await hands.type(name)
    await hands.until(lambda: hands.sees("1 found"))
    await hands.press("enter")


async def palette(hands: Hands, words: str) -> None:
    """Run a command by its name."""
    await hands.press("ctrl+p")
    await hands.type(words)
    await hands.press("enter")


async def test_what_a_patient_says_is_written_down_and_shown_on_the_record(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    async with console(clinic.crm, "kim", size=(100, 30)) as hands:
        await record_of(hands, "lopez")
        await palette(hands, "record consent")
        hands.expect("by which way?")
        await hands.type("sms")
        await hands.press("enter")
        hands.expect("about what?")
        await hands.press(*"plain", "enter")
        hands.expect("sms · plain content: what did the patient say?")
        await hands.type("granted phone")
        await hands.press("enter", *"she heard it and agreed", "enter")
        hands.expect("others may be able to read them on the way")
        await hands.press("y")
        hands.expect("plain content · GRANTED")
        seen = clinic.see(clinic.agent, card, clinic.patients["Ana"]).entries[0]
        assert (seen.wording_version, seen.evidence) == ("2026-11", "she heard it and agreed")


async def test_the_patients_order_and_one_way_only_are_kept_from_the_record(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    ana = clinic.patients["Ana"]
    async with console(clinic.crm, "kim", size=(100, 30)) as hands:
        await record_of(hands, "lopez")
        await palette(hands, "how to be reached")
        await hands.press(*"voice", "enter", *"sms", "enter", *"that is all", "enter")
        hands.expect("prefers voice, sms")
        await palette(hands, "one way only")
        await hands.press(*"0101", "enter", *"not at home", "enter")
        hands.expect("ONLY BY sms · ···0101 · not at home")
        await palette(hands, "how to be reached")
        await hands.press(*"0101", "enter")
        hands.expect("And after at ···0101?")
        await hands.press("escape")
        await palette(hands, "one way only")
        await hands.press(*"any way", "enter")
        assert clinic.see(clinic.agent, card, ana).confidential is None
        assert clinic.see(clinic.agent, card, ana).preferred == (Channel.VOICE, Channel.SMS)


async def test_a_proxy_is_added_and_ended_from_the_record(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    async with console(clinic.crm, "kim", size=(100, 30)) as hands:
        await record_of(hands, "lopez")
        await palette(hands, "add a proxy")
        await hands.press(*"parent", "enter", *"Ida Lopez", "enter", *"both", "enter", *"212-555-0188", "enter")
        hands.expect("Ida Lopez · parent · +12125550188 · speaks and receives")
        await palette(hands, "end a proxy")
        await hands.press("enter")
        assert clinic.see(clinic.agent, proxies, clinic.patients["Ana"]) == ()


async def test_a_death_is_asked_once_more_and_stops_what_was_on_its_way(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text("How much is my bill?").conversation_id
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    async with console(clinic.crm, "kim", size=(100, 30)) as hands:
        await record_of(hands, "lopez")
        await palette(hands, "has died")
        hands.expect("does not come back")
        await hands.press("n")
        assert not clinic.see(clinic.agent, patient, clinic.patients["Ana"]).deceased
        await palette(hands, "has died")
        await hands.press("y")
        hands.expect("DECEASED")
        assert [row["state"] for row in outbox_rows(clinic.crm)] == [Delivery.SUPPRESSED]


async def test_a_held_number_is_decided_about_from_its_conversation(clinic: Clinic, account: Account) -> None:
    kim = account("kim", Role.AGENT)
    number = clinic.text("How much is my bill?").conversation_id
    clinic.do(kim, reply, clinic.crm.gate, number, "It is 20 dollars.")
    clinic.text("please stop texting me")
    async with console(clinic.crm, "kim", size=(100, 30)) as hands:
        await hands.press("n")
        await palette(hands, "held number")
        hands.expect("···0101 may want no more texts")
        hands.expect("1 message cancelled")
        await hands.press(*"no more", "enter", *"she said none at all", "enter")
        hands.expect("1 cancelled")
        assert [row["state"] for row in outbox_rows(clinic.crm)] == [Delivery.SUPPRESSED]
        await palette(hands, "held number")
        hands.expect("Nobody has to decide")


async def test_an_address_is_offered_by_its_name_and_kept_as_the_one_way(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    at = DraftContact(kind=ContactKind.EMAIL, value="eva@example.com")
    identifier = DraftIdentifier(system="urn:test", value="1077", kind="MR")
    draft = PatientDraft(
        given="Eva", family="Mann", birth_date="1970-01-31", identifiers=(identifier,), contacts=(at,)
    )  # fmt: skip
    (eva,) = [saved.patient_id for saved in clinic.do(SYSTEM, save_many, [draft])]
    assert eva is not None
    async with console(clinic.crm, "kim", size=(100, 30)) as hands:
        await record_of(hands, "mann")
        await palette(hands, "how to be reached")
        hands.expect("at eva@example.com")
        await hands.press(*"eva@", "enter", *"that is all", "enter")
        hands.expect("prefers their email")
        await palette(hands, "one way only")
        await hands.press(*"eva@", "enter", *"mail me", "enter")
        hands.expect("ONLY BY email")
        asked = clinic.see(clinic.agent, card, eva).confidential
        assert asked is not None
        assert asked.contact_point_id == clinic.see(clinic.agent, patient, eva).contacts[0].contact_point_id


async def test_behind_the_curtain_no_number_or_proxy_is_named_and_nothing_is_planned(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    clinic.text("please stop texting me")
    async with console(clinic.crm, "kim", size=(100, 30)) as hands:
        await hands.press("n", "f2")
        for words in ("held number", "plan a notice"):
            await palette(hands, words)
            hands.expect("Identities are masked; f2 shows")
            assert not hands.sees("0101")
            assert not hands.sees("What is to be sent?")
        await hands.press("f2")
        await palette(hands, "held number")
        hands.expect("···0101 may want no more texts")
        await hands.press("f2")
        assert not hands.sees("0101"), "what was asked already goes with the curtain"


async def test_the_composer_names_the_proxy_and_the_one_way_that_was_asked_for(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    ana = clinic.patients["Ana"]
    point = clinic.do(SYSTEM, ensure_contact_point, ContactKind.PHONE, MOTHER)
    who = {"name": "Ida Lopez", "relation": Relation.PARENT, "contact_point_id": point}
    clinic.do(clinic.agent, add_proxy, ana, may_speak=True, may_receive=False, **who)
    clinic.do(clinic.agent, ask_for_confidence, ana, channel=Channel.EMAIL, contact_point_id=None, words="mail me")
    assert clinic.text("It is about Ana's bill", MOTHER).patient_id == ana
    async with console(clinic.crm, "kim", size=(140, 30)) as hands:
        await hands.press("n", "r")
        hands.expect("through Ida Lopez (parent, speaks only)")
        hands.expect("ONLY BY EMAIL")


async def test_a_number_that_speaks_for_two_offers_both_and_links_none(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    ana, bo = clinic.patients["Ana"], clinic.patients["Bo"]
    point = clinic.do(SYSTEM, ensure_contact_point, ContactKind.PHONE, MOTHER)
    who = {"name": "Ida Lopez", "relation": Relation.PARENT, "contact_point_id": point}
    for one in (ana, bo):
        clinic.do(clinic.agent, add_proxy, one, may_speak=True, may_receive=False, **who)
    received = clinic.text("How much is his bill?", MOTHER)
    assert received.patient_id is None
    async with console(clinic.crm, "kim", size=(100, 30)) as hands:
        await hands.press("n", "L")
        hands.expect("Bo Iversen P-2")
        hands.expect("through Ida Lopez (parent)")
        await hands.press(*"iversen", "enter")
        assert clinic.now_at(received.conversation_id).patient_id == bo
    assert len(clinic.see(clinic.agent, patient, bo).contacts) == 1, "a proxy's number is not the patient's"
