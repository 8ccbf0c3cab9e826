"""Saved views: kept sealed, one's own or shared, and those that everybody has."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM, Role
from crm_core.errors import NotFound, NotPermitted, UsageError
from crm_core.inbox.handling import assign, escalate, snooze
from crm_core.inbox.lists.filters import BadFilter, parse
from crm_core.inbox.lists.finding import find
from crm_core.inbox.lists.views import (
    BUILT_IN,
    MOST_VIEWS,
    drop_view,
    rename_view,
    save_view,
    view_counts,
    view_named,
    views,
)
from crm_core.inbox.tables import SavedView
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import BO, Clinic
from tests.inbox.looking import audited, statements, tags

REFILL = "Can I get a refill of my metformin?"


def names(clinic: Clinic, actor: object = None) -> list[str]:
    """The names that a person sees beside everybody's."""
    seen = clinic.see(actor or clinic.agent, views)  # type: ignore[arg-type]
    return [str(view.name) for view in seen if view.view_id is not None]


def test_everybody_has_seven_views_whose_filters_are_understood(clinic: Clinic) -> None:
    assert [view.name for view in clinic.see(clinic.agent, views)] == [name for name, _ in BUILT_IN]
    for _, text in BUILT_IN:
        assert str(parse(text)) == text


def test_a_view_is_mine_until_it_is_shared_and_sharing_needs_a_supervisor(clinic: Clinic) -> None:
    clinic.do(clinic.agent, save_view, "Metformin", 'lane:refills  "metformin"')
    assert names(clinic) == ["Metformin"]
    assert names(clinic, clinic.nurse) == []
    with pytest.raises(NotPermitted, match="share views"):
        clinic.do(clinic.agent, save_view, "Metformin", "lane:refills", shared=True)
    clinic.do(clinic.supervisor, save_view, "Late refills", "lane:refills is:overdue", shared=True)
    assert names(clinic) == ["Metformin", "Late refills"]
    seen = clinic.see(clinic.agent, view_named, "LATE  refills")
    assert (seen.mine, seen.shared, seen.owner, seen.filter) == (False, True, "Supervisor3", "lane:refills is:overdue")
    with pytest.raises(NotPermitted):
        clinic.do(clinic.agent, drop_view, "Late refills")
    clinic.do(clinic.supervisor, drop_view, "late refills")
    assert names(clinic) == ["Metformin"]


def test_a_view_of_the_same_name_is_replaced_renamed_and_dropped(clinic: Clinic) -> None:
    first = clinic.do(clinic.agent, save_view, "Señor Díaz", "owner:me")
    assert clinic.do(clinic.agent, save_view, "senor diaz", "owner:none") == first
    assert clinic.see(clinic.agent, view_named, "SENOR DIAZ").filter == "owner:none"
    clinic.do(clinic.agent, save_view, "Other", "owner:me")
    with pytest.raises(UsageError, match="of that name already"):
        clinic.do(clinic.agent, rename_view, "other", "Senor Diaz")
    clinic.do(clinic.agent, rename_view, "other", "Another")
    assert names(clinic) == ["senor diaz", "Another"]
    clinic.do(clinic.agent, drop_view, "another")
    with pytest.raises(NotFound):
        clinic.do(clinic.agent, drop_view, "another")
    assert [tag for tag in tags(clinic.crm) if tag.startswith("saved_view:filter:")] == [
        "saved_view:filter:saved",
        "saved_view:filter:saved",
        "saved_view:filter:saved",
        "saved_view:filter:renamed",
        "saved_view:filter:dropped",
    ]


def test_what_a_view_is_called_and_asks_lies_sealed_and_is_opened_as_a_listing(clinic: Clinic) -> None:
    clinic.do(clinic.agent, save_view, "Ana Lopez", '"lopez"')
    with clinic.crm.read(SYSTEM) as unit:
        row = unit.execute(select(SavedView.__table__)).mappings().one()
    assert b"Lopez" not in row["name_sealed"] and b"lopez" not in row["filter_sealed"]
    clinic.see(clinic.agent, views)
    assert (audited(clinic.crm)[-1]["subject"], audited(clinic.crm)[-1]["why"]) == ("saved_view", "saved views")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("", "owner:me", "1 to 40 letters"),
        ("x" * 41, "owner:me", "1 to 40 letters"),
        ("...", "owner:me", "1 to 40 letters"),
        ("MINE", "owner:me", "Everybody has a view of that name"),
        ("Nothing", "  ", "An empty filter is no view"),
        ("Broken", 'owner:me "x', "A quote is not closed"),
        ("Elsewhere", "lane:nowhere", "lane: cannot be nowhere"),
    ],
)
def test_what_is_no_view_is_refused(clinic: Clinic, name: str, text: str, why: str) -> None:
    with pytest.raises((UsageError, BadFilter), match=why):
        clinic.do(clinic.agent, save_view, name, text)
    assert names(clinic) == []


def test_nobody_keeps_more_views_than_can_be_found_again(clinic: Clinic) -> None:
    for number in range(MOST_VIEWS):
        clinic.do(clinic.agent, save_view, f"View {number}", "owner:me")
    with pytest.raises(UsageError, match="50 views already"):
        clinic.do(clinic.agent, save_view, "One more", "owner:me")
    clinic.do(clinic.agent, save_view, "view 7", "owner:none")


def test_counts_are_those_of_the_filters_in_one_statement(clinic: Clinic) -> None:
    mine = clinic.text("How much is my bill?").conversation_id
    asked = clinic.text(REFILL, BO).conversation_id
    clinic.do(clinic.agent, escalate, asked, to=Role.SUPERVISOR, reason="unhappy_patient", question="May I?")
    clinic.do(clinic.agent, assign, mine, clinic.agent.staff_id)
    clinic.do(clinic.agent, snooze, mine, until=MONDAY + timedelta(days=3))
    clinic.do(clinic.agent, save_view, "Words", "metformin")
    seen = clinic.see(clinic.agent, views)
    with statements(clinic.crm.store.reading) as heard:
        counts = clinic.see(clinic.agent, view_counts, seen)
    assert len(heard) == 3, "the guard's, the playbook's number, the counts"
    told = dict(zip([str(view.name) for view in seen], counts, strict=True))
    assert told["Words"] is None, "texts are not opened for a count"
    assert (told["Mine"], told["Mine, escalated"], told["Snoozed"]) == (1, 1, 1)
    for view, count in zip(seen, counts, strict=True):
        if count is not None:
            assert clinic.see(clinic.agent, find, parse(view.filter)).matching == count, view.name


def test_a_view_that_names_what_is_gone_is_shown_without_a_count(clinic: Clinic, staff: StaffFactory) -> None:
    clinic.do(clinic.supervisor, save_view, "Refills", "lane:refills", shared=True)
    coordinator = staff(Role.COORDINATOR)
    seen = clinic.see(coordinator, views)
    assert clinic.see(coordinator, view_counts, seen)[-1] is None
