"""A console that was killed holds on to nothing: what was in hand comes up again, unless it is on another screen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from crm_core.access.model import SYSTEM
from crm_core.errors import NotPermitted
from crm_core.inbox.tables import Presence
from crm_core.inbox.take import put_down, take_next
from tests.conftest import MONDAY, without
from tests.inbox.conftest import BO, Clinic
from tests.inbox.looking import stored


def test_what_was_in_hand_when_a_console_was_killed_is_handed_out_again_to_its_owner(clinic: Clinic) -> None:
    clinic.text("How much is my bill?")
    taken = clinic.do(clinic.agent, take_next)
    assert clinic.do(clinic.agent, take_next) is None
    assert clinic.do(clinic.agent, put_down) == 1
    assert stored(clinic.crm, taken)["owner_id"] == clinic.agent.staff_id
    assert clinic.do(clinic.supervisor, take_next) is None
    assert clinic.do(clinic.agent, take_next) == taken


def test_what_is_on_another_screen_of_mine_stays_in_hand_until_that_screen_has_faded(clinic: Clinic) -> None:
    clinic.text("How much is my bill?")
    clinic.text("Where are my records?", BO)
    seen, forgotten = clinic.do(clinic.agent, take_next), clinic.do(clinic.agent, take_next)
    with clinic.crm.write(SYSTEM) as unit:
        row = {"conversation_id": seen, "staff_id": clinic.agent.staff_id, "seen_at": MONDAY, "writing": False}
        unit.execute(insert(Presence), [row])
    clinic.at(MONDAY + timedelta(seconds=20))
    assert clinic.do(clinic.agent, put_down) == 1
    assert stored(clinic.crm, seen)["taken_at"] is not None
    assert stored(clinic.crm, forgotten)["taken_at"] is None
    clinic.at(MONDAY + timedelta(seconds=31))
    assert clinic.do(clinic.agent, put_down) == 1


def test_nobody_puts_down_what_is_in_somebody_elses_hands(clinic: Clinic) -> None:
    clinic.text("How much is my bill?")
    taken = clinic.do(clinic.agent, take_next)
    assert clinic.do(clinic.nurse, put_down) == 0
    assert stored(clinic.crm, taken)["taken_at"] is not None
    with pytest.raises(NotPermitted):
        clinic.do(without(clinic.agent, *clinic.agent.roles), put_down)
