"""The demo's texts under the playbook that ships: what a visitor sees is what the rules decide."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm_core.channels.danger import DangerLists, Verdict
from crm_core.channels.danger_section import DangerSection
from crm_core.demo.events import Arrival
from crm_core.demo.plan import make_plan
from crm_core.demo.sources import special_source, talks
from crm_core.inbox.playbook.section import CategoriesSection, RoutingSection, WordsSection
from crm_core.inbox.routing.conditions import Facts
from crm_core.inbox.routing.deciding import compile_rules, route
from crm_core.playbook.loader import Playbook, load
from crm_core.playbook.shipped import shipped
from crm_core.sections import SECTIONS


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return load(shipped("primary_care"), SECTIONS)


@pytest.fixture(scope="module")
def arrivals() -> tuple[Arrival, ...]:
    return make_plan(datetime(2026, 11, 23, 15, 0, tzinfo=UTC)).arrivals


def test_nearly_every_request_lands_in_the_lane_whose_staff_answer_it(
    playbook: Playbook, arrivals: tuple[Arrival, ...]
) -> None:
    rules = compile_rules(
        playbook.section(WordsSection), playbook.section(CategoriesSection), playbook.section(RoutingSection)
    )
    lanes = {talk.category: talk.lane for talk in talks()}
    opening = [arrival for arrival in arrivals if arrival.expect]
    elsewhere = []
    for arrival in opening:
        text = "\n".join(filter(None, (arrival.subject, arrival.text)))
        decision = route(rules, Facts(text=text, channel=arrival.channel, sender_known=True))
        if decision.lane != lanes[arrival.expect or ""]:
            elsewhere.append((arrival.expect, decision.lane, arrival.text))
    assert len(elsewhere) <= 0.03 * len(opening), elsewhere


def test_only_the_dangers_alarm_and_only_foreign_texts_stay_unscreened(
    playbook: Playbook, arrivals: tuple[Arrival, ...]
) -> None:
    lists = DangerLists(playbook.section(DangerSection))
    special = special_source()
    dangers = {*special.danger, *special.danger_es}
    foreign = {text.text for text in special.unscreened}
    for arrival in arrivals:
        wanted = Verdict.CLEAR
        if arrival.text in dangers:
            wanted = Verdict.ALARM
        elif arrival.text in foreign:
            wanted = Verdict.UNSCREENED
        assert lists.screen(arrival.text).verdict is wanted, arrival.text
