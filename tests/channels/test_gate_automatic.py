"""What no person writes: hours, cap, waiting, staleness, consent and preference, each with its figures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from crm_core.access.model import SYSTEM
from crm_core.channels.claiming import claim_due
from crm_core.channels.delivery import Courier
from crm_core.channels.gate import Candidate
from crm_core.channels.model import Delivery, Verdict
from crm_core.channels.outbox import NotSendable, Posting, outbox, post, post_all
from crm_core.channels.tables import Outbox
from crm_core.channels.vendors import add_vendor
from crm_core.patients.preferences import prefer
from crm_core.patients.tables import POINT, Patient
from crm_core.timers.model import Tally
from crm_core.words import Channel, Purpose
from tests.channels.conftest import Line
from tests.conftest import MONDAY
from tests.inbox.conftest import ANA, BO
from tests.inbox.looking import messages, outbox_rows, tags

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EIGHT_PM = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""20:00 on Monday in New York."""
EIGHT_AM = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
"""08:00 on Tuesday there."""


@dataclass
class House:
    """Ana's and Bo's clinic, which writes to them by itself."""

    line: Line

    def candidate(self, who: str = "Ana", **changes: Any) -> Candidate:
        """A reminder to that patient."""
        number = {"Ana": 0, "Bo": 1}[who]
        facts: dict[str, Any] = {
            "channel": Channel.SMS,
            "contact_point_id": messages(self.line.clinic.crm)[number]["contact_point_id"],
            "patient_id": self.line.clinic.patients[who],
            "text": f"{who}, please call us.",
            "first_name": who,
            "purpose": Purpose.REMINDER,
            "automatic": True,
        }
        return Candidate(**{**facts, **changes})

    def judged(self, **changes: Any) -> Verdict:
        """What the gate says of a reminder to Ana."""
        with self.line.clinic.crm.read(SYSTEM) as unit:
            return self.line.gate.judge(unit, self.candidate(**changes))

    def post(self, key: str, **changes: Any) -> int:
        """Queue one."""
        posting = Posting(conversation_id=None, candidate=self.candidate(**changes), author_id=None, dedup_key=key)
        message_id: int = self.line.clinic.do(SYSTEM, post, self.line.gate, posting)
        return message_id

    def states(self) -> list[Delivery]:
        """Of what the house wrote, in order."""
        return [row["state"] for row in outbox_rows(self.line.clinic.crm)]

    def deliver(self, at: datetime) -> None:
        """Let it be that time, and send what is due."""
        self.line.clinic.at(at)
        self.line.courier.run_once()


@pytest.fixture
def house(line: Line) -> House:
    """Both have texted an hour ago."""
    line.clinic.at(MONDAY - HOUR)
    line.clinic.text("How much is my bill?", ANA)
    line.clinic.text("How much is my bill?", BO)
    line.clinic.at(MONDAY)
    return House(line)


def test_every_step_says_what_it_saw_in_the_order_of_asking(house: House) -> None:
    verdict = house.judged()
    assert verdict.allowed
    assert [reason.check for reason in verdict.reasons] == [
        "gateway", "agreement", "patient", "number", "opt-out", "consent", "content", "health detail",
        "hours", "cap", "wait",
    ]  # fmt: skip
    assert verdict.reasons[-3].saw == "10:00 in America/New_York, 08:00 to 20:00"
    assert verdict.reasons[-2].saw == "0 of 1 that day, 0 of 3 in seven days"


@pytest.mark.parametrize(
    ("at", "not_before"),
    [
        (EIGHT_PM - MINUTE, None),
        (EIGHT_PM, EIGHT_AM),
        (EIGHT_PM + MINUTE, EIGHT_AM),
        (EIGHT_AM - MINUTE, EIGHT_AM),
        (EIGHT_AM, None),
    ],
)
def test_what_is_due_after_eight_in_the_evening_goes_at_eight_in_the_morning(
    house: House, at: datetime, not_before: datetime | None
) -> None:
    house.line.clinic.at(at)
    verdict = house.judged()
    assert (verdict.allowed, verdict.not_before) == (not_before is None, not_before)


@pytest.mark.parametrize(
    ("at", "morning"),
    [
        # Clocks go forward on 14 March 2027 and back on 7 November: 08:00 is an hour earlier, or later, in UTC.
        (datetime(2027, 3, 14, 3, 0, tzinfo=UTC), datetime(2027, 3, 14, 12, 0, tzinfo=UTC)),
        (datetime(2027, 11, 7, 3, 0, tzinfo=UTC), datetime(2027, 11, 7, 13, 0, tzinfo=UTC)),
    ],
)
def test_on_the_days_on_which_clocks_change_it_is_eight_by_the_wall(
    house: House, at: datetime, morning: datetime
) -> None:
    with house.line.clinic.crm.write(SYSTEM) as unit:
        add_vendor(
            unit,
            name="Example Texts",
            gateway="sms",
            baa_from=date(2027, 1, 1),
            baa_until=date(2027, 12, 31),
        )
    house.line.clinic.at(at)
    assert house.judged().not_before == morning


def test_the_clock_that_counts_is_the_patients_own(house: House) -> None:
    with house.line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Patient).values(time_zone="America/Los_Angeles"))
    verdict = house.judged()
    assert verdict.not_before == MONDAY + HOUR, "10:00 in New York is 07:00 there"
    with house.line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Patient).values(time_zone="Nowhere/Atall"))
    assert house.judged().allowed


def test_your_visit_tomorrow_never_goes_out_on_the_day(house: House) -> None:
    house.line.clinic.at(EIGHT_PM - MINUTE)
    message = house.post("visit-7", send_by=EIGHT_PM + 3 * HOUR)
    house.deliver(EIGHT_PM + MINUTE)
    (row,) = outbox_rows(house.line.clinic.crm)
    assert (row["state"], row["message_id"]) == (Delivery.EXPIRED, message)
    assert row["failure"].startswith("it was to go by 2026-11-23 23:00")
    assert "message:outbound:expired" in tags(house.line.clinic.crm)
    assert house.line.provider.accepted == []
    with pytest.raises(NotSendable, match="was to go by"):
        house.post("visit-8", send_by=EIGHT_PM + 3 * HOUR)


def test_what_may_wait_is_queued_for_its_time_with_no_try_used_and_the_trace_says_so(house: House) -> None:
    house.line.clinic.at(EIGHT_PM - MINUTE)
    house.post("visit-7")
    house.deliver(EIGHT_PM)
    (row,) = outbox_rows(house.line.clinic.crm)
    assert (row["state"], row["due_at"], row["tries"]) == (Delivery.QUEUED, EIGHT_AM, 0)
    (listed,) = house.line.clinic.see(house.line.clinic.agent, outbox)
    assert listed.waits == "not before 2026-11-24 08:00 in America/New_York"
    assert listed.why[-4].startswith("hours: NO, 20:00 in America/New_York")
    house.deliver(EIGHT_AM - MINUTE)
    assert house.states() == [Delivery.QUEUED]
    house.deliver(EIGHT_AM)
    assert house.states() == [Delivery.SENT]


def test_one_a_day_and_three_in_seven_days_of_everything_automatic_together(house: House) -> None:
    for day in range(3):
        house.line.clinic.at(MONDAY + day * DAY)
        house.post(f"first-{day}")
        house.deliver(MONDAY + day * DAY)
        assert house.judged(purpose=Purpose.CARE).not_before == (EIGHT_AM + day * DAY if day < 2 else MONDAY + 7 * DAY)
    house.line.clinic.at(MONDAY + 7 * DAY - MINUTE)
    assert house.judged().not_before == MONDAY + 7 * DAY
    house.line.clinic.at(MONDAY + 7 * DAY)
    assert house.judged().allowed
    assert house.states() == [Delivery.SENT] * 3


def test_a_cap_that_ends_at_night_waits_for_the_morning(house: House) -> None:
    late = EIGHT_PM - MINUTE
    for day in range(3):
        house.line.clinic.at(late + day * DAY)
        house.post(f"late-{day}")
        house.deliver(late + day * DAY)
    house.line.clinic.at(late + 7 * DAY - 2 * MINUTE)
    assert house.judged().not_before == late + 7 * DAY
    house.line.clinic.at(late + 6 * DAY)
    with house.line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Patient).values(time_zone="America/Halifax"))
    # There the third one's week ends at 20:59, which is no time to write.
    assert house.judged().not_before == datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def test_what_was_stopped_does_not_count_and_a_message_of_a_person_neither(house: House) -> None:
    house.post("visit-7")
    with house.line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(POINT).values(invalid_at=MONDAY, invalid_reason="test"))
    house.deliver(MONDAY)
    assert house.states() == [Delivery.SUPPRESSED]
    with house.line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(POINT).values(invalid_at=None, invalid_reason=None))
    house.post("reply", automatic=False)
    house.deliver(MONDAY)
    assert house.judged().allowed


def test_two_to_one_patient_in_one_batch_are_one_today_and_one_tomorrow(house: House) -> None:
    postings = [
        Posting(conversation_id=None, candidate=house.candidate(), author_id=None, dedup_key=f"both-{number}")
        for number in range(2)
    ]
    posted = house.line.clinic.do(SYSTEM, post_all, house.line.gate, postings)
    assert [each.verdict.allowed for each in posted] == [True, False]
    assert posted[1].verdict.not_before == EIGHT_AM
    assert [row["due_at"] for row in outbox_rows(house.line.clinic.crm)] == [MONDAY, EIGHT_AM]


def test_while_the_patient_writes_automation_waits_ten_minutes_and_a_person_does_not(house: House) -> None:
    house.line.clinic.text("And when is it due?", ANA)
    assert house.judged().not_before == MONDAY + 10 * MINUTE
    assert house.judged(who="Bo").allowed
    assert house.judged(automatic=False).allowed
    assert house.judged(answers=True).allowed
    house.line.clinic.at(MONDAY + 10 * MINUTE)
    assert house.judged().allowed


def test_an_answer_to_the_patients_own_text_goes_at_night_and_does_not_count(house: House) -> None:
    house.line.clinic.at(EIGHT_PM + HOUR)
    for key in ("one", "two"):
        house.post(key, answers=True)
    house.deliver(EIGHT_PM + HOUR)
    assert house.states() == [Delivery.SENT, Delivery.SENT]
    assert house.judged(answers=True).reasons[-1].saw == "skipped: it answers the patient's own text"
    assert house.judged(automatic=False).reasons[-1].saw == "skipped: a person writes"
    house.line.clinic.at(EIGHT_AM)
    assert house.judged().allowed


def test_outreach_needs_a_yes_and_the_rest_only_that_nobody_said_no(house: House) -> None:
    refusal = house.judged(purpose=Purpose.OUTREACH).refusal
    assert refusal is not None
    assert refusal.saw == "outreach by sms needs a yes, and there is none"
    for purpose in (Purpose.CARE, Purpose.NOTICE, Purpose.REMINDER):
        assert house.judged(purpose=purpose).allowed


def test_a_patient_who_ranked_channels_is_not_written_to_on_another(house: House) -> None:
    patient = house.line.clinic.patients["Ana"]
    house.line.clinic.do(SYSTEM, prefer, patient, [Channel.EMAIL])
    refusal = house.judged().refusal
    assert refusal is not None
    assert (refusal.check, refusal.saw) == ("preference", "the patient wants email")
    assert house.judged(automatic=False).allowed
    house.line.clinic.do(SYSTEM, prefer, patient, [Channel.EMAIL, Channel.SMS])
    assert house.judged().allowed


def test_health_detail_is_not_texted_by_itself_and_a_person_is_told(house: House) -> None:
    text = "Your swollen knee hurts because of the infection"
    refusal = house.judged(text=text).refusal
    assert refusal is not None
    assert refusal.check == "health detail"
    verdict = house.judged(text=text, automatic=False)
    assert verdict.allowed
    assert any(reason.saw.startswith("WARNING: the text speaks of health") for reason in verdict.reasons)


def test_a_patient_who_is_no_patient_here_any_more_is_not_written_to(house: House) -> None:
    with house.line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Patient).values(active=False))
    refusal = house.judged().refusal
    assert refusal is not None
    assert refusal.saw == "not a patient here any more"


@contextmanager
def counted(engine: Any) -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_batch_is_judged_and_claimed_in_as_many_statements_as_one(house: House) -> None:
    crm = house.line.clinic.crm
    taken = []
    for who, count in (("Ana", 1), ("Bo", 40)):
        for number in range(count):
            house.post(f"{who}-{number}", who=who, answers=number > 0)
        with crm.write(SYSTEM) as unit, counted(crm.store.writing) as statements:
            claimed = claim_due(unit, house.line.gate, (), Tally())
        assert len(claimed) == count
        taken.append(len(statements))
    assert taken[0] == taken[1]
    assert taken[0] <= 16


def test_two_senders_at_the_same_moment_keep_the_cap(house: House) -> None:
    """Both were queued while the cap had room for each: whoever decides second sees the first."""
    crm = house.line.clinic.crm
    house.post("one")
    house.post("two")
    with crm.write(SYSTEM) as unit:
        unit.execute(update(Outbox).values(due_at=MONDAY))
    both = threading.Barrier(2)
    couriers = [Courier(units=crm.units, gate=house.line.gate, observers=()) for _ in range(2)]

    def send(courier: Courier) -> None:
        both.wait(timeout=30)
        courier.run_once()

    threads = [threading.Thread(target=send, args=(courier,)) for courier in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(house.states()) == [Delivery.QUEUED, Delivery.SENT]
    assert len(house.line.provider.accepted) == 1
