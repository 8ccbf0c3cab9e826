"""Receiving: one path for all, each message once, opt-out words first come first heard (domain.md, Keywords)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crm_core.access.model import SYSTEM, Role
from crm_core.app import Crm, open_crm
from crm_core.channels.inbound import receive
from crm_core.channels.model import Delivery, Handled, Inbound, Received
from crm_core.errors import NotPermitted
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.model import State
from crm_core.settings import Settings
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed
from crm_core.words import Channel
from tests.conftest import MASTER, MONDAY, StaffFactory
from tests.inbox.conftest import ANA, BO, Clinic
from tests.inbox.looking import audited, conversations, messages, outbox_rows, stored, tags

BILL = "How much is my bill?"


def opted_out(clinic: Clinic) -> list[bool]:
    """Of each known number, whether it has opted out."""
    from sqlalchemy import select

    from crm_core.patients.tables import POINT

    with clinic.crm.read(SYSTEM) as unit:
        return [at is not None for at in unit.scalars(select(POINT.c.opted_out_at).order_by(POINT.c.id))]


def test_the_same_provider_id_again_makes_no_second_message_and_says_so(clinic: Clinic) -> None:
    first = clinic.text(BILL, provider_id="SM1")
    again = clinic.text("whatever it says now", provider_id="SM1")
    assert (again.message_id, again.conversation_id) == (first.message_id, first.conversation_id)
    assert (again.duplicate, again.handled_by) == (True, Handled.DUPLICATE)
    assert len(messages(clinic.crm)) == 1


def test_provider_ids_are_each_channels_own(clinic: Clinic) -> None:
    clinic.text(BILL, provider_id="1")
    other = clinic.text(BILL, "ana@example.org", channel=Channel.EMAIL, provider_id="1")
    assert not other.duplicate
    assert len(messages(clinic.crm)) == 2


def test_without_a_provider_id_each_delivery_is_a_message(clinic: Clinic) -> None:
    assert not any(clinic.text(BILL, provider_id=None).duplicate for _ in range(2))
    assert len(messages(clinic.crm)) == 2


def at_once(crms: list[Crm], inbounds: list[Inbound]) -> list[Received]:
    """Receive each by its own store handle, all at the same moment."""
    ready = threading.Barrier(len(inbounds))
    results: list[Received | BaseException] = []

    def one(crm: Crm, inbound: Inbound) -> None:
        ready.wait()
        try:
            with crm.write(SYSTEM) as unit:
                results.append(receive(unit, crm.receiver, inbound))
        except BaseException as error:
            results.append(error)
            raise

    threads = [threading.Thread(target=one, args=pair) for pair in zip(crms, inbounds, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(results) == len(inbounds)
    failed = [each for each in results if isinstance(each, BaseException)]
    assert not failed, failed
    return [each for each in results if isinstance(each, Received)]


def text_of(sender: str, number: int | None = None) -> Inbound:
    """One text as a provider brings it."""
    return Inbound(
        channel=Channel.SMS, sender=sender, text=BILL, at=MONDAY, provider_id=None if number is None else f"SM{number}"
    )


def test_sixteen_deliveries_of_one_message_at_once_make_one_and_fifteen_duplicates(
    clinic: Clinic, settings: Settings
) -> None:
    clinic.text("warm up", BO)
    with open_crm(settings, master=MASTER, clock=clinic.crm.clock) as other:
        received = at_once([clinic.crm, other] * 8, [text_of(ANA, 1)] * 16)
    assert sorted(each.duplicate for each in received) == [False] + [True] * 15
    assert len({each.message_id for each in received}) == 1
    assert len({each.conversation_id for each in received}) == 1


@pytest.mark.parametrize("sender", [ANA, "+1 646 555 0123"])
def test_first_texts_of_one_number_at_once_make_one_conversation(
    clinic: Clinic, settings: Settings, sender: str
) -> None:
    clinic.text("warm up", BO)
    with open_crm(settings, master=MASTER, clock=clinic.crm.clock) as other:
        received = at_once([clinic.crm, other] * 4, [text_of(sender, at) for at in range(8)])
    assert len({each.conversation_id for each in received}) == 1
    assert len({each.message_id for each in received}) == 8


def test_first_texts_of_one_patients_two_numbers_at_once_make_one_conversation(
    clinic: Clinic, settings: Settings
) -> None:
    from crm_core.patients.model import ContactKind
    from crm_core.patients.service import ensure_contact_point, link_contact

    second = "+1 646 555 0124"
    with clinic.crm.write(SYSTEM) as unit:
        link_contact(unit, clinic.patients["Ana"], ensure_contact_point(unit, ContactKind.PHONE, second))
    clinic.text("warm up", BO)
    with open_crm(settings, master=MASTER, clock=clinic.crm.clock) as other:
        received = at_once([clinic.crm, other] * 3, [text_of(ANA, 1), text_of(second, 2)] * 3)
    assert len({each.conversation_id for each in received}) == 1


def test_the_raw_text_is_kept_sealed_beside_the_cleaned_one(clinic: Clinic) -> None:
    poison = "Hello \x1b]52;c;aGk=\x07 \u202edoctor\ud800"
    clinic.text(poison)
    (row,) = messages(clinic.crm)
    with clinic.crm.read(clinic.agent) as unit:
        body = unit.open(Sealed(Field.MESSAGE_BODY, row["id"], row["body_sealed"]))
        raw = unit.open(Sealed(Field.MESSAGE_RAW, row["id"], row["raw_sealed"]))
    assert body is not None
    assert raw is not None
    assert not set("\x1b\x07\u202e") & set(body)
    assert "\x1b]52" in raw
    assert row["hidden"] > 0


def test_nobody_without_the_permission_receives(clinic: Clinic, staff: StaffFactory) -> None:
    for actor in (clinic.agent, staff(Role.PRIVACY)):
        with pytest.raises(NotPermitted), clinic.crm.write(actor) as unit:
            receive(unit, clinic.crm.receiver, text_of(ANA))


@pytest.mark.parametrize(
    "text", ["STOP", "stop", "Stop.", "UNSUBSCRIBE", "cancel!", " End ", "QUIT", "revoke", "OPTOUT"]
)
def test_an_opt_out_word_alone_opts_the_number_out_with_one_confirmation(clinic: Clinic, text: str) -> None:
    received = clinic.text(text)
    assert (received.handled_by, received.conversation_id) == (Handled.OPT_OUT, None)
    assert opted_out(clinic) == [True, False]
    clinic.text("STOP")
    assert clinic.crm.courier.run_once().sent == 1
    sent = [json.loads(line) for line in (clinic.crm.settings.home / "spool.jsonl").read_text().splitlines()]
    assert [each["to"] for each in sent] == ["+12125550101"]


@pytest.mark.parametrize("text", ["Can I stop by at 3?", "I had to stop the pills, is that ok?", "cancel my visit"])
def test_a_sentence_with_such_a_word_is_no_opt_out(clinic: Clinic, text: str) -> None:
    assert clinic.text(text).handled_by is Handled.ROUTING
    assert opted_out(clinic) == [False, False]


def test_an_opt_out_word_in_a_letter_or_on_the_portal_is_a_text(clinic: Clinic) -> None:
    assert clinic.text("STOP", channel=Channel.PORTAL).handled_by is Handled.ROUTING
    assert opted_out(clinic) == [False, False]


def test_start_opts_in_again_and_help_says_who_we_are(clinic: Clinic) -> None:
    clinic.text("STOP")
    assert clinic.text("START").handled_by is Handled.OPT_IN
    assert opted_out(clinic) == [False, False]
    assert clinic.text("HELP").handled_by is Handled.HELP
    assert clinic.crm.courier.run_once().sent == 3


def test_an_opt_out_cancels_everything_queued_to_the_number_and_nothing_else(clinic: Clinic) -> None:
    ana = clinic.text(BILL).conversation_id
    bo = clinic.text(BILL, BO).conversation_id
    for number in (ana, ana, bo):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "20 dollars")
    clinic.text("STOP")
    states = [(row["patient_id"], row["state"]) for row in outbox_rows(clinic.crm) if row["patient_id"]]
    patients = clinic.patients
    assert states == [
        (patients["Ana"], Delivery.SUPPRESSED),
        (patients["Ana"], Delivery.SUPPRESSED),
        (patients["Bo"], Delivery.QUEUED),
    ]


def test_please_stop_texting_me_holds_what_is_queued_until_staff_decide(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "20 dollars")
    received = clinic.text("please stop texting me")
    assert (received.handled_by, received.conversation_id) == (Handled.SUSPECTED_OPT_OUT, number)
    assert opted_out(clinic) == [False, False]
    (row,) = outbox_rows(clinic.crm)
    assert row["state"] is Delivery.HELD
    assert "until staff decide" in row["failure"]
    seen = clinic.now_at(number)
    assert seen.state is State.OPEN
    assert "May want no more texts" in str(seen.next_action)
    assert "contact:number:held" in tags(clinic.crm)


def test_stop_from_a_number_that_two_share_is_in_the_audit_of_both(clinic: Clinic) -> None:
    cy = clinic.patient("Cy", "Lopez", ANA, "1003")
    clinic.text("STOP")
    assert sum(opted_out(clinic)) == 1
    told = [row for row in audited(clinic.crm) if row["tag"] == "patient:record:changed"]
    assert sorted(row["ids"] for row in told) == sorted(f"[{each}]" for each in (clinic.patients["Ana"], cy))
    assert all("opted_out" in row["why"] for row in told)


def test_an_opt_out_word_lies_in_the_open_thread_and_does_not_move_it(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    before = stored(clinic.crm, number)
    assert clinic.text("STOP").conversation_id == number
    assert stored(clinic.crm, number) == before
    assert [str(each.body) for each in clinic.now_at(number).messages if not each.apart] == [BILL, "STOP"]


def test_a_refused_message_leaves_nothing_behind(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the wall fell down")

    kept: Callable[..., Any] = clinic.crm.receiver.threads.place
    monkeypatch.setattr(clinic.crm.receiver.threads, "place", broken)
    with pytest.raises(RuntimeError):
        clinic.text(BILL, provider_id="SM9")
    monkeypatch.setattr(clinic.crm.receiver.threads, "place", kept)
    assert (messages(clinic.crm), conversations(clinic.crm)) == ([], [])
    clinic.at(MONDAY + timedelta(minutes=1))
    assert not clinic.text(BILL, provider_id="SM9").duplicate
