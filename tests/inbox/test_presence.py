"""Presence: who else is here, whether they write, and that it fades 30 s after the last sign."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import Actor, Role
from crm_core.errors import NotFound
from crm_core.inbox.answering import answers
from crm_core.inbox.sharing import presence
from crm_core.store.feed import Topic
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import Clinic
from tests.inbox.looking import audited

SECOND = timedelta(seconds=1)


@pytest.fixture
def number(clinic: Clinic) -> int:
    found = clinic.text("How much is my bill?").conversation_id
    assert found is not None
    return found


def seen(clinic: Clinic, who: Actor, number: int) -> list[tuple[str, bool]]:
    return [(one.name, one.writing) for one in clinic.see(who, presence.who_is_here, number)]


def test_a_colleague_sees_who_is_here_and_who_writes_and_i_do_not_see_myself(clinic: Clinic, number: int) -> None:
    clinic.do(clinic.agent, presence.here, number, writing=False)
    assert seen(clinic, clinic.supervisor, number) == [("Agent1", False)]
    assert seen(clinic, clinic.agent, number) == []
    clinic.do(clinic.agent, presence.here, number, writing=True)
    clinic.do(clinic.supervisor, presence.here, number, writing=False)
    assert seen(clinic, clinic.supervisor, number) == [("Agent1", True)]
    assert seen(clinic, clinic.agent, number) == [("Supervisor3", False)]


def test_it_fades_thirty_seconds_after_the_last_sign_and_ends_at_once_on_leaving(clinic: Clinic, number: int) -> None:
    clinic.do(clinic.agent, presence.here, number, writing=True)
    clinic.at(MONDAY + 20 * SECOND)
    clinic.do(clinic.agent, presence.here, number, writing=True)
    clinic.at(MONDAY + 49 * SECOND)
    assert seen(clinic, clinic.supervisor, number) == [("Agent1", True)]
    clinic.at(MONDAY + 50 * SECOND)
    assert seen(clinic, clinic.supervisor, number) == []
    clinic.do(clinic.agent, presence.here, number, writing=False)
    clinic.do(clinic.agent, presence.leave, number)
    assert seen(clinic, clinic.supervisor, number) == []


def test_it_is_not_audited_and_opens_nothing(clinic: Clinic, number: int) -> None:
    before = len(audited(clinic.crm))
    clinic.do(clinic.agent, presence.here, number, writing=True)
    seen(clinic, clinic.supervisor, number)
    clinic.do(clinic.agent, presence.leave, number)
    assert len(audited(clinic.crm)) == before


def test_a_further_sign_tells_nobody_and_a_change_does(clinic: Clinic, number: int) -> None:
    told: list[bool] = []

    def sign(*, writing: bool) -> None:
        with clinic.crm.write(clinic.agent) as unit:
            presence.here(unit, number, writing=writing)
            told.append(Topic.PRESENCE in unit._topics)

    for writing in (False, False, True, True, False):
        sign(writing=writing)
    clinic.at(MONDAY + 30 * SECOND)
    sign(writing=False)
    assert told == [True, False, True, False, True, True]


def test_of_a_foreign_lane_nobody_is_seen_and_nothing_is_written(
    clinic: Clinic, number: int, staff: StaffFactory
) -> None:
    stranger = staff(Role.COORDINATOR)
    with pytest.raises(NotFound):
        clinic.do(stranger, presence.here, number, writing=False)
    clinic.do(clinic.agent, presence.here, number, writing=False)
    with pytest.raises(NotFound):
        clinic.see(stranger, presence.who_is_here, number)


def test_both_compose_and_the_second_is_refused_and_keeps_the_draft(clinic: Clinic, number: int) -> None:
    from crm_core.inbox.answering import drafts

    shown = clinic.now_at(number).newest_message_id
    for who in (clinic.agent, clinic.supervisor):
        clinic.do(who, presence.here, number, writing=True)
        clinic.do(who, drafts.save_draft, number, f"{who.name} writes")
    gate = clinic.crm.gate
    clinic.do(clinic.agent, answers.reply, gate, number, "It is 20 dollars.", seen_message_id=shown)
    with pytest.raises(answers.SomethingNewer):
        clinic.do(clinic.supervisor, answers.reply, gate, number, "It is 30.", seen_message_id=shown)
    kept = clinic.see(clinic.supervisor, drafts.my_draft, number)
    assert kept is not None and str(kept.body) == "Supervisor3 writes"
    assert clinic.see(clinic.agent, drafts.my_draft, number) is None
