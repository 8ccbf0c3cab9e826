"""The plan of the demo's past and present."""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crm_core.access.model import PERMISSIONS, Permission, Role
from crm_core.demo import events as did
from crm_core.demo.plan import DemoPlan, make_plan
from crm_core.demo.scenes import PERSONAL
from crm_core.demo.sources import spanish_templates, special_source, talks
from crm_core.demo.workdays import Workdays
from crm_core.library.section import SECTION, TemplatesSection
from crm_core.playbook.loader import load_content
from crm_core.playbook.reading import read_texts
from crm_core.playbook.shipped import shipped

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
LANES = {talk.lane for talk in talks()} | {"physician_review"}


@pytest.fixture(scope="module")
def plan() -> DemoPlan:
    return make_plan(NOW)


@pytest.fixture(scope="module")
def templates() -> TemplatesSection:
    content, _ = read_texts(shipped("primary_care"))
    texts = {file: text for file, text in content.items() if file.startswith("templates/")}
    return load_content(texts, [SECTION], name="primary_care").section(TemplatesSection)


def _threads(plan: DemoPlan) -> dict[str, list[did.Event]]:
    threads: dict[str, list[did.Event]] = defaultdict(list)
    for event in plan.events:
        threads[event.thread].append(event)
    return threads


def _state(events: list[did.Event]) -> str:
    """The state that a thread of the plan ends in."""
    state = "new"
    for event in events[1:]:
        match event:
            case did.Closed():
                state = "closed"
            case did.Replied():
                state = "waiting_patient"
            case did.Called(outcome="reached"):
                state = "waiting_patient"
            case did.Called():
                state = "waiting_other"
            case did.Snoozed():
                state = "snoozed"
            case did.Claimed() | did.Escalated() | did.Linked():
                state = "open"
            case did.Arrival(text=text) if state != "closed" or text not in special_source().thanks:
                state = "open"
    return state


def _lane(events: list[did.Event]) -> str | None:
    lane = next(
        (talk.lane for talk in talks() if isinstance(events[0], did.Arrival) and talk.category == events[0].expect),
        None,
    )
    for event in events:
        if isinstance(event, did.Moved):
            lane = event.lane
        if isinstance(event, did.Escalated) and event.to is Role.PHYSICIAN:
            lane = "physician_review"
    return lane


def test_the_same_moment_and_seed_make_the_same_plan(plan: DemoPlan) -> None:
    assert make_plan(NOW) == plan
    assert make_plan(NOW, seed=7) != plan


def test_a_later_day_moves_the_times_along(plan: DemoPlan) -> None:
    later = make_plan(NOW + timedelta(days=28))
    assert later.events[-1].at - plan.events[-1].at == timedelta(days=28)


@pytest.mark.parametrize("hours", range(0, 24 * 15, 17))
def test_nothing_lies_in_the_future_whenever_the_demo_is_made(hours: int) -> None:
    plan = make_plan(NOW + timedelta(hours=hours))
    assert max(event.at for event in plan.events) <= plan.now
    for event in plan.events:
        if isinstance(event, did.Snoozed) and _state(_threads(plan)[event.thread]) == "snoozed":
            assert event.until > plan.now


def test_every_lane_lies_open_in_every_state(plan: DemoPlan) -> None:
    found = {(_lane(events), _state(events)) for events in _threads(plan).values()}
    for lane in LANES:
        for state in ("new", "open", "waiting_patient", "waiting_other", "snoozed"):
            # A nurse's question is open from the first: nothing is new in the physician's lane.
            if (lane, state) != ("physician_review", "new"):
                assert (lane, state) in found, (lane, state)


def test_there_are_sixty_open_and_three_hundred_closed_behind_them(plan: DemoPlan) -> None:
    states = [_state(events) for events in _threads(plan).values()]
    assert sum(state != "closed" for state in states) >= 80
    assert sum(state == "closed" for state in states) >= 320


def test_the_past_reaches_back_three_months_mostly_in_working_hours(plan: DemoPlan) -> None:
    times = [arrival.at.astimezone(ZONE) for arrival in plan.arrivals]
    assert plan.begins + timedelta(days=1) < min(times) < NOW - timedelta(days=75)
    outside = sum(time.weekday() > 4 or not 8 <= time.hour < 17 for time in times)
    assert 0.03 < outside / len(times) < 0.25


def test_staff_act_in_working_hours_and_after_what_they_answer(plan: DemoPlan) -> None:
    for events in _threads(plan).values():
        assert isinstance(events[0], did.Arrival)
        assert [event.at for event in events] == sorted(event.at for event in events)
        if not any(isinstance(event, did.Acknowledged) for event in events):
            for event in events:
                if not isinstance(event, did.Arrival):
                    local = event.at.astimezone(ZONE)
                    assert local.weekday() < 5 and 9 <= local.hour <= 17, event


def test_a_thread_is_one_number_and_no_two_threads_of_a_number_are_near(plan: DemoPlan) -> None:
    spans: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for events in _threads(plan).values():
        senders = {event.sender for event in events if isinstance(event, did.Arrival)}
        assert len(senders) == 1
        spans[senders.pop()].append((events[0].at, events[-1].at))
    for several in spans.values():
        several.sort()
        for (_, ended), (begun, _) in itertools.pairwise(several):
            assert begun - ended > timedelta(days=8)


def test_message_ids_are_unique_and_rows_are_what_receive_reads(plan: DemoPlan) -> None:
    assert len({arrival.id for arrival in plan.arrivals}) == len(plan.arrivals)
    for arrival in plan.arrivals:
        row = json.loads(json.dumps(arrival.row))
        assert set(row) - {"subject"} == {"channel", "from", "text", "id", "at"}
        assert datetime.fromisoformat(row["at"]) == arrival.at
        assert row["text"].strip()
        assert not re.search(r"[{}]|\b[fm]:", row["text"])


def test_the_texts_are_many_and_seldom_alike(plan: DemoPlan) -> None:
    opening = [arrival.text for arrival in plan.arrivals if arrival.expect]
    assert len(set(opening)) >= 300
    assert sum(len(talk.texts) + len(talk.texts_es) for talk in talks()) >= 250


def test_strangers_shared_numbers_dangers_and_keywords_are_among_them(plan: DemoPlan) -> None:
    phones = {person.phone for person in plan.people} | {person.email for person in plan.people}
    shared = {person.phone for person in plan.people if person.shared}
    senders = [arrival.sender for arrival in plan.arrivals]
    assert sum(sender not in phones for sender in senders) >= 6
    assert sum(sender in shared for sender in senders) >= 3
    texts = {arrival.text for arrival in plan.arrivals}
    assert set(special_source().stop) <= texts
    assert set(special_source().danger) <= texts
    assert {foreign.text for foreign in special_source().unscreened} <= texts


def test_nobody_dead_or_opted_out_is_written_to(plan: DemoPlan) -> None:
    dead = {person.phone for person in plan.people if person.deceased_on} - {None}
    alive = {person.phone for person in plan.people if not person.deceased_on}
    stopped = {arrival.sender for arrival in plan.arrivals if arrival.text in special_source().stop}
    for events in _threads(plan).values():
        if any(isinstance(event, did.Replied) for event in events):
            assert isinstance(events[0], did.Arrival)
            assert events[0].sender not in stopped | (dead - alive)


def test_every_answer_is_a_template_that_ships_for_that_language(plan: DemoPlan, templates: TemplatesSection) -> None:
    texts = {(text.key, text.language): text for text in templates.templates}
    for event in plan.events:
        if isinstance(event, did.Replied):
            text = texts[event.template, event.language]
            assert text.needs_personal == (event.personal is not None), event
            assert {"sms", "email"} <= set(text.channels)
    by_itself = {"visit_confirm", "please_call_us"}
    assert {key for key, language in texts if language == "es"} == spanish_templates() | by_itself
    assert all(texts[key, "en"].needs_personal for key in PERSONAL)


def test_staff_work_only_lanes_they_are_listed_for(plan: DemoPlan) -> None:
    by_login = {person.login: person for person in plan.staff}
    for events in _threads(plan).values():
        for event in events:
            by = getattr(event, "by", None)
            if by is None:
                continue
            able: frozenset[Permission] = frozenset().union(*(PERMISSIONS[role] for role in by_login[by].roles))
            assert Permission.CONVERSATION_WORK in able
            if isinstance(event, did.Escalated) and event.to is Role.PHYSICIAN:
                assert Role.NURSE in by_login[by].roles
            if isinstance(event, did.Acknowledged):
                assert Permission.DANGER_ACT in able


def test_the_staff_are_ten_or_more_with_one_visitor_who_has_work(plan: DemoPlan) -> None:
    assert len(plan.staff) >= 10
    assert set(Role) == {role for person in plan.staff for role in person.roles}
    assert sum(isinstance(event, did.Claimed) and event.by == plan.visitor.login for event in plan.events) >= 3


def test_the_patients_are_written_as_one_bundle(plan: DemoPlan, tmp_path: Path) -> None:
    document = json.loads(plan.write_people(tmp_path).read_text("utf-8"))
    assert document["resourceType"] == "Bundle"
    assert len(document["entry"]) == len(plan.people)


def test_working_time_is_counted_both_ways() -> None:
    days = Workdays(zone=ZONE)
    friday = datetime(2026, 11, 20, 16, 30, tzinfo=ZONE)
    assert days.later(friday, 60) == datetime(2026, 11, 23, 9, 30, tzinfo=ZONE)
    assert days.earlier(datetime(2026, 11, 23, 9, 30, tzinfo=ZONE), 60) == friday
    saturday = datetime(2026, 11, 21, 12, 0, tzinfo=ZONE)
    assert days.later(saturday, 0) == datetime(2026, 11, 23, 9, 0, tzinfo=ZONE)
    assert days.earlier(saturday, 10) == datetime(2026, 11, 20, 16, 50, tzinfo=ZONE)
