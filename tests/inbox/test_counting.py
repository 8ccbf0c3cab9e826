"""Clocks in the store: through the use cases, under a changed playbook, recorded once (domain.md: Pause)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.hours.ledger import Kind
from crm_core.inbox.alarms import acknowledge
from crm_core.inbox.answering.answers import note, reply
from crm_core.inbox.answering.calls import log_call
from crm_core.inbox.handling import close, move
from crm_core.inbox.model import ClockKind, Mark
from crm_core.inbox.tables import ClockMark
from crm_core.inbox.take import claim
from crm_core.inbox.timing.clock_ledger import clock_ledgers
from crm_core.inbox.timing.counting import settle_marks
from crm_core.inbox.timing.passing import let_time_pass
from crm_core.inbox.undo import undo_last
from crm_core.playbook.loader import load, load_content
from crm_core.playbook.service import apply
from crm_core.playbook.shipped import shipped
from crm_core.sections import SECTIONS
from tests.inbox.conftest import Clinic
from tests.inbox.looking import stored, tags

NEW_YORK = ZoneInfo("America/New_York")
FORTY_HOURS = """first_response = { stat = "1h", asap = "2h", urgent = "4h", routine = "8h" }
resolution = { stat = "8h", asap = "16h", urgent = "24h", routine = "40h" }"""
"""What the shipped playbook says of bills."""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A time on the wall of the clinic; the 30th of November 2026 is a Monday without a holiday after it."""
    return datetime(2026, 11, day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


MONDAY_NINE = at(30, 9)
TUESDAY_ELEVEN = MONDAY_NINE + timedelta(hours=26)


def put_in_force(crm: Crm, **changed: tuple[str, str]) -> None:
    """Apply the shipped playbook with words of its files replaced: `lanes=(old, new)`."""
    content = dict(load(shipped("primary_care"), SECTIONS).content)
    for name, (old, new) in changed.items():
        assert old in content[f"{name}.toml"]
        content[f"{name}.toml"] = content[f"{name}.toml"].replace(old, new)
    with crm.write(SYSTEM) as unit:
        apply(unit, load_content(content, SECTIONS, name="primary_care"))


def resolution_within(crm: Crm, hours: int) -> None:
    """Let every routine bill be answered and settled within that many hours."""
    put_in_force(
        crm,
        lanes=(
            FORTY_HOURS,
            f"""first_response = {{ stat = "1h", asap = "2h", urgent = "4h", routine = "{hours}h" }}
resolution = {{ stat = "1h", asap = "2h", urgent = "4h", routine = "{hours}h" }}""",
        ),
    )


def a_bill(clinic: Clinic) -> int:
    """A billing question that came on Monday at nine and was answered at eleven."""
    clinic.at(MONDAY_NINE)
    number = clinic.text("How much is my bill?").conversation_id
    assert number is not None
    assert clinic.now_at(number).lane == "billing"
    clinic.at(MONDAY_NINE + timedelta(hours=2))
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    return number


def marks(crm: Crm, number: int) -> list[tuple[ClockKind, Mark]]:
    """What was recorded of a conversation's clocks."""
    with crm.read(SYSTEM) as unit:
        rows = unit.execute(
            select(ClockMark.clock, ClockMark.mark).where(ClockMark.conversation_id == number).order_by(ClockMark.id)
        )
        return [(row.clock, row.mark) for row in rows]


def test_a_days_wait_for_the_patient_moves_the_resolution_by_a_day_and_a_lower_target_keeps_that(
    clinic: Clinic,
) -> None:
    resolution_within(clinic.crm, 8)
    number = a_bill(clinic)
    clinic.at(TUESDAY_ELEVEN)
    clinic.text("and the other one?")
    ledgers = {each.clock: each for each in clinic.see(clinic.agent, clock_ledgers, number)}
    assert ledgers["resolution"].due_at == MONDAY_NINE + timedelta(hours=32)
    resolution_within(clinic.crm, 4)
    row = stored(clinic.crm, number)
    assert (row["due_clock"], row["due_at"]) == (ClockKind.RESOLUTION, MONDAY_NINE + timedelta(hours=28))


def test_a_holiday_that_is_entered_later_moves_what_is_due(clinic: Clinic) -> None:
    clinic.at(at(30, 16))
    number = clinic.text("How much is my bill?").conversation_id
    assert number is not None
    before = stored(clinic.crm, number)["due_at"]
    shut = '[[calendar.office.exception]]\nday = 2026-12-01\nwhy = "Burst pipe"\n\n[calendar.office]\n'
    put_in_force(clinic.crm, calendars=("[calendar.office]\n", shut))
    assert stored(clinic.crm, number)["due_at"] == before + timedelta(days=1)
    clinic.at(at(30, 17) + timedelta(days=2))
    segments = clinic.see(clinic.agent, clock_ledgers, number)[0].segments
    assert [(each.kind, each.why) for each in segments if each.why] == [(Kind.CLOSED, "Burst pipe")]


def test_a_note_and_a_call_that_did_not_reach_stop_no_clock_and_one_that_did_stops_it(clinic: Clinic) -> None:
    number = clinic.text("How much is my bill?").conversation_id
    assert number is not None
    before = stored(clinic.crm, number)["due_at"]
    clinic.do(clinic.agent, note, number, "looked at it")
    clinic.do(clinic.agent, log_call, number, outcome="no_answer", words=None)
    row = stored(clinic.crm, number)
    assert (row["due_at"], row["due_clock"]) == (before, ClockKind.FIRST_RESPONSE)
    clinic.do(clinic.agent, log_call, number, outcome="reached", words="told her")
    assert stored(clinic.crm, number)["due_at"] is None


def test_a_clock_is_warned_of_once_and_its_breach_recorded_once_though_two_look_at_once(clinic: Clinic) -> None:
    clinic.at(MONDAY_NINE)
    number = clinic.text("How much is my bill?").conversation_id
    assert number is not None
    let_time_pass(clinic.crm.units)
    assert marks(clinic.crm, number) == []
    clinic.at(MONDAY_NINE + timedelta(hours=6))
    let_time_pass(clinic.crm.units)
    let_time_pass(clinic.crm.units)
    assert marks(clinic.crm, number) == [(ClockKind.FIRST_RESPONSE, Mark.WARNED)]
    clinic.at(MONDAY_NINE + timedelta(hours=8))
    both = threading.Barrier(2)

    def look() -> None:
        both.wait()
        let_time_pass(clinic.crm.units)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join()
    wanted = [(ClockKind.FIRST_RESPONSE, Mark.WARNED), (ClockKind.FIRST_RESPONSE, Mark.BREACHED)]
    assert marks(clinic.crm, number) == wanted
    # What counts the clocks anew, long after, records nothing again.
    clinic.do(clinic.agent, claim, number)
    clinic.do(clinic.agent, move, number, lane="records", reason="wrong_lane")
    let_time_pass(clinic.crm.units)
    assert marks(clinic.crm, number) == wanted
    assert tags(clinic.crm).count("conversation:clock:breached") == 1


def test_a_breach_that_nobody_saw_before_the_answer_came_is_recorded_with_the_answer(clinic: Clinic) -> None:
    clinic.at(MONDAY_NINE)
    number = clinic.text("How much is my bill?").conversation_id
    assert number is not None
    clinic.at(MONDAY_NINE + timedelta(days=1, hours=1))
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    assert marks(clinic.crm, number) == [(ClockKind.FIRST_RESPONSE, Mark.BREACHED)]
    clinic.do(clinic.agent, close, number, outcome="resolved")
    assert marks(clinic.crm, number) == [(ClockKind.FIRST_RESPONSE, Mark.BREACHED)]


def test_what_is_overdue_is_not_due_while_the_patient_is_waited_on_and_is_again_afterwards(clinic: Clinic) -> None:
    clinic.at(MONDAY_NINE)
    number = clinic.text("How much is my bill?").conversation_id
    assert number is not None
    clinic.at(MONDAY_NINE + timedelta(days=14))
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    row = stored(clinic.crm, number)
    assert (row["due_at"], row["due_clock"]) == (None, None)
    assert (ClockKind.RESOLUTION, Mark.BREACHED) in marks(clinic.crm, number)
    clinic.at(MONDAY_NINE + timedelta(days=15))
    clinic.text("and the other one?")
    row = stored(clinic.crm, number)
    assert row["due_clock"] is ClockKind.RESOLUTION
    assert row["due_at"] == MONDAY_NINE + timedelta(days=4, hours=8)


def test_an_answer_in_time_is_never_a_breach(clinic: Clinic) -> None:
    number = a_bill(clinic)
    clinic.at(MONDAY_NINE + timedelta(days=1))
    let_time_pass(clinic.crm.units)
    assert marks(clinic.crm, number) == []


def test_what_is_late_when_it_arrives_is_recorded_as_such(clinic: Clinic) -> None:
    clinic.at(TUESDAY_ELEVEN)
    number = clinic.text("How much is my bill?", at=MONDAY_NINE - timedelta(days=7)).conversation_id
    assert number is not None
    let_time_pass(clinic.crm.units)
    assert (ClockKind.FIRST_RESPONSE, Mark.BREACHED) in marks(clinic.crm, number)
    with clinic.crm.write(SYSTEM) as unit:
        assert settle_marks(unit) == 0


def test_the_ledger_of_a_clock_adds_up_to_its_figure_and_names_what_did_not_count(clinic: Clinic) -> None:
    number = a_bill(clinic)
    clinic.at(TUESDAY_ELEVEN)
    clinic.text("and the other one?")
    clinic.at(TUESDAY_ELEVEN + timedelta(hours=1))
    told = clinic.see(clinic.agent, clock_ledgers, number)
    assert [each.clock for each in told] == ["first_response", "resolution", "next_response"]
    for each in told:
        lengths: Mapping[Any, timedelta] = {
            kind: sum((one.length for one in each.segments if one.kind is kind), timedelta()) for kind in Kind
        }
        assert lengths[Kind.COUNTED] == each.counted == each.target - each.left
        assert sum(lengths.values(), timedelta()) == each.until - each.since
    resolution = told[1]
    assert resolution.counted == timedelta(hours=3)
    assert {one.kind for one in resolution.segments} == {Kind.COUNTED, Kind.PAUSED, Kind.CLOSED}
    assert not told[0].running
    assert told[0].met


def test_a_danger_has_fifteen_minutes_of_its_own_and_the_lanes_clocks_once_it_is_acknowledged(clinic: Clinic) -> None:
    clinic.at(at(28, 20, 10))
    number = clinic.text("I have crushing chest pain and can't breathe").conversation_id
    assert number is not None
    told = clinic.see(clinic.nurse, clock_ledgers, number)
    assert (told[0].clock, told[0].left) == ("acknowledge", timedelta(minutes=15))
    clinic.at(at(28, 20, 20))
    clinic.do(clinic.nurse, acknowledge, number)
    row = stored(clinic.crm, number)
    assert (row["due_clock"], row["due_at"]) == (ClockKind.FIRST_RESPONSE, at(30, 9, 15))
    assert (row["urgency"], row["danger"]) == (1, False)


def test_no_clock_runs_once_it_is_closed_and_undoing_the_end_starts_them_as_they_were(clinic: Clinic) -> None:
    number = clinic.text("How much is my bill?").conversation_id
    assert number is not None
    before = stored(clinic.crm, number)
    clinic.do(clinic.agent, close, number, outcome="resolved")
    assert stored(clinic.crm, number)["due_at"] is None
    clinic.at(clinic.crm.clock.now() + timedelta(hours=1))
    clinic.do(clinic.agent, undo_last)
    after = stored(clinic.crm, number)
    for name in ("due_at", "due_clock", "late_at", "mark_at", "urgency"):
        assert after[name] == before[name], name
