"""May we send this: every check, its reason, and the order in which a person can read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from crm_core.access.model import SYSTEM
from crm_core.channels.contents import what_does_not_belong
from crm_core.channels.gate import Asked, Candidate, Gate, GateCheck
from crm_core.channels.model import Delivery, Reason, Verdict
from crm_core.channels.outbox import NotSendable
from crm_core.channels.vendors import end_vendor
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.model import State
from crm_core.patients.tables import POINT, Patient
from crm_core.words import Channel
from crm_core.work.units import ReadUnit
from tests.channels.conftest import Line
from tests.channels.provider import ProviderGateway
from tests.conftest import MONDAY
from tests.inbox.conftest import ANA, Clinic
from tests.inbox.looking import messages, outbox_rows, stored

BILL = "How much is my bill?"


def judged(line: Line, **changes: object) -> Verdict:
    """What the gate says of a text to Ana."""
    if not messages(line.clinic.crm):
        line.clinic.text(BILL)
    facts: dict[str, object] = {
        "channel": Channel.SMS,
        "contact_point_id": messages(line.clinic.crm)[0]["contact_point_id"],
        "patient_id": line.clinic.patients["Ana"],
        "text": "It is 20 dollars.",
        "first_name": "Ana",
    }
    with line.clinic.crm.read(SYSTEM) as unit:
        return line.gate.judge(unit, Candidate(**{**facts, **changes}))  # type: ignore[arg-type]


def test_what_may_go_goes_with_every_reason_in_order(line: Line) -> None:
    verdict = judged(line)
    assert verdict.allowed
    assert [reason.check for reason in verdict.reasons] == [
        "gateway", "agreement", "patient", "number", "opt-out", "consent", "content", "health detail",
        "hours, cap, wait",
    ]  # fmt: skip
    assert verdict.reasons[1].saw == "BAA until 2026-12-31"


def test_a_refusal_is_the_last_reason_asked(line: Line) -> None:
    verdict = judged(line, patient_id=None)
    assert not verdict.allowed
    assert verdict.refusal == verdict.reasons[-1]
    assert verdict.refusal is not None
    assert verdict.refusal.saw == "the sender is not linked to a patient"


def test_nothing_goes_where_no_gateway_or_no_number_is(line: Line) -> None:
    for changes, check in (({"channel": Channel.WHATSAPP}, "gateway"), ({"contact_point_id": None}, "recipient")):
        verdict = judged(line, **changes)
        assert verdict.refusal is not None
        assert verdict.refusal.check == check


def test_a_call_needs_no_gateway_since_a_person_makes_it(line: Line) -> None:
    verdict = judged(line, channel=Channel.VOICE)
    assert verdict.allowed
    assert verdict.reasons[0].saw == "a person calls"


def test_another_persons_number_is_never_used_for_a_patient(line: Line) -> None:
    verdict = judged(line, patient_id=line.clinic.patients["Bo"])
    assert verdict.refusal is not None
    assert verdict.refusal.check == "whose"


@pytest.mark.parametrize(
    ("table", "values", "check"),
    [
        (POINT, {"opted_out_at": MONDAY}, "opt-out"),
        (POINT, {"invalid_at": MONDAY, "invalid_reason": "hard_bounce"}, "number"),
        (Patient.__table__, {"deceased": True}, "patient"),
    ],
)
def test_the_opted_out_the_invalid_and_the_dead_are_not_written_to(line: Line, table, values, check: str) -> None:  # type: ignore[no-untyped-def]
    assert judged(line).allowed
    with line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(table).values(values))
    verdict = judged(line)
    assert verdict.refusal is not None
    assert verdict.refusal.check == check


def test_the_answer_to_the_keyword_itself_goes_to_a_number_that_opted_out(line: Line) -> None:
    judged(line)
    with line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(POINT).values(opted_out_at=MONDAY))
    assert judged(line, answers=True, patient_id=None).allowed


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        (datetime(2026, 1, 1, 5, 0, tzinfo=UTC), True),
        (datetime(2026, 1, 1, 4, 59, tzinfo=UTC), False),
        (datetime(2027, 1, 1, 4, 59, tzinfo=UTC), True),
        (datetime(2027, 1, 1, 5, 0, tzinfo=UTC), False),
    ],
)
def test_an_agreement_counts_by_the_days_where_the_clinic_is(line: Line, at: datetime, allowed: bool) -> None:
    """From 1 January to 31 December 2026 in New York, five hours behind UTC."""
    judged(line)
    line.clinic.at(at)
    assert judged(line).allowed == allowed


@pytest.mark.parametrize("vendor", ["Other Texts", None])
def test_no_real_gateway_goes_without_an_agreement_of_its_own_vendor(line: Line, vendor: str | None) -> None:
    line.use(ProviderGateway(line.provider.port, vendor=vendor))
    verdict = judged(line)
    assert verdict.refusal is not None
    assert verdict.refusal.check == "agreement"


def test_an_agreement_for_letters_does_not_cover_texts(clinic: Clinic, line: Line) -> None:
    from crm_core.channels.vendors import add_vendor

    line.use(ProviderGateway(line.provider.port, vendor="Example Mail"))
    with clinic.crm.write(SYSTEM) as unit:
        add_vendor(unit, name="Example Mail", gateway="email", baa_from=date(2026, 1, 1), baa_until=date(2027, 1, 1))
    assert not judged(line).allowed


def test_a_spool_needs_no_agreement(line: Line) -> None:
    line.use(ProviderGateway(line.provider.port, real=False, vendor=None))
    assert judged(line).allowed


@pytest.mark.parametrize("how", ["lapsed", "ended"])
def test_an_agreement_that_ends_between_queue_and_claim_stops_the_text(line: Line, how: str) -> None:
    number = line.clinic.text(BILL).conversation_id
    line.clinic.do(line.clinic.agent, reply, line.gate, number, "It is 20 dollars.", hold=timedelta(seconds=15))
    if how == "lapsed":
        line.clinic.at(datetime(2027, 1, 1, 5, 0, tzinfo=UTC))
    else:
        line.clinic.at(MONDAY + timedelta(minutes=1))
        with line.clinic.crm.write(SYSTEM) as unit:
            end_vendor(unit, "Example Texts")
    line.courier.run_once()
    (row,) = outbox_rows(line.clinic.crm)
    assert row["state"] is Delivery.SUPPRESSED
    assert "no BAA in date" in row["failure"]
    assert stored(line.clinic.crm, number)["state"] is State.OPEN
    assert line.provider.accepted == []


@pytest.mark.parametrize(
    "text",
    [
        "Your card 4111 1111 1111 1111 was charged",
        "card 5500-0000-0000-0004",
        "amex 378282246310005 ok",
        "your SSN is 219-09-9999",
        "SSN 219099999 on file",
        "Your password is Summer2026!",
        "password: hunter2",
        "Hello {first_name}, it is ready",
        "Hello {{ patient.first_name }}",
        "Hello ‹patient.first_name›",
    ],
)
def test_card_numbers_social_security_numbers_passwords_and_unfilled_fields_do_not_leave(text: str) -> None:
    said = what_does_not_belong(text)
    assert said is not None
    assert not any(word in said for word in ("4111", "5500", "3782", "219", "Summer", "hunter2"))


@pytest.mark.parametrize(
    "text",
    [
        "Call us at 212-555-0142 or +1 (646) 555-0199",
        "Order 4111 1111 1111 1112 is ready",
        "Tracking 00000000000000",
        "Your MRN is 123-45-67890, date 2026-11-23 10:00",
        "You can reset your password on the portal; the password is chosen by you",
        "Prices: {20, 30} dollars, set A = {1}",
        "219-09-99991 is no such number",
    ],
)
def test_what_only_looks_like_them_may_leave(text: str) -> None:
    assert what_does_not_belong(text) is None


def test_a_person_is_told_what_does_not_belong_and_nothing_is_queued(line: Line) -> None:
    number = line.clinic.text(BILL).conversation_id
    with pytest.raises(NotSendable, match="card number"):
        line.clinic.do(line.clinic.agent, reply, line.gate, number, "We charged 4111 1111 1111 1111")
    assert outbox_rows(line.clinic.crm) == []


def objection(passed: bool) -> GateCheck:
    """A check of a higher room."""

    def check(_unit: ReadUnit, asked: Sequence[Asked]) -> list[Reason | None]:
        return [Reason(check="objection", passed=passed, saw=f"shared by {each.known.shared_by}") for each in asked]

    return check


@pytest.mark.parametrize("passed", [True, False])
def test_a_higher_rooms_check_is_asked_last_and_may_refuse(line: Line, passed: bool) -> None:
    line.clinic.patient("Cy", "Lopez", ANA, "1003")
    line.clinic.text(BILL)
    line.gate = Gate(gateways=line.gate.gateways, checks=(objection(passed),))
    verdict = judged(line, text="Ana: it is 20 dollars.")
    assert verdict.allowed == passed
    (said,) = [reason.saw for reason in verdict.reasons if reason.check == "objection"]
    assert said == "shared by 2"


def test_a_first_name_that_two_sharers_have_does_not_say_which_is_meant(line: Line) -> None:
    line.clinic.patient("Ana Sofia", "Lopez", ANA, "1003")
    verdict = judged(line, text="Ana: it is 20 dollars.")
    assert verdict.refusal is not None
    assert verdict.refusal.saw == "two who share it have that first name; call instead"


def test_a_candidate_does_not_tell_what_it_says_when_it_is_printed() -> None:
    made = Candidate(channel=Channel.SMS, contact_point_id=1, patient_id=1, text="20 dollars", first_name="Ana")
    assert "20 dollars" not in repr(made)
    assert "Ana" not in repr(made)


def test_a_subject_is_read_as_the_text_is(line: Line) -> None:
    refused = judged(line, subject="Your card 4111 1111 1111 1111").refusal
    assert refused is not None
    assert refused.saw == "the subject holds a card number"
    assert judged(line, subject="Message from the clinic").allowed
