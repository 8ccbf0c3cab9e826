"""Filters, views, marks, verbs over many and the undo journal, by keys."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import Role
from crm_core.inbox.handling import close
from crm_core.inbox.lists.filters import parse
from crm_core.inbox.lists.finding import find
from crm_core.inbox.lists.views import save_view
from crm_tui.widgets.filter_line import FilterLine
from crm_tui.widgets.queue_list import QueueList
from tests.console.conftest import Account, Clinic
from tests.console.hands import Hands, console
from tests.inbox.conftest import BO
from tests.inbox.looking import audited
from tests.inbox.test_queries import fill

REFILL = "Can I get a refill of my metformin? Two pills left"
BILL = "How much is my bill?"


def open_in(clinic: Clinic, text: str) -> int:
    """How many answer to a filter, as a supervisor sees it."""
    found: int = clinic.see(clinic.supervisor, find, parse(text)).matching
    return found


async def to_lane(hands: Hands, title: str) -> None:
    """Go on until this lane's name stands above the rows."""
    for _ in range(9):
        if hands.sees(f"{title} ·"):
            return
        await hands.press("K")
    hands.expect(f"{title} ·")


async def by_name(hands: Hands, words: str) -> None:
    """Run a command by its name in the palette."""
    await hands.press("colon")
    await hands.type(words)
    await hands.press("down", "enter")


@pytest.mark.usefixtures("both_stores")
async def test_fields_filter_as_they_are_typed_and_a_mistake_is_said_under_the_line(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    clinic.text(REFILL)
    clinic.text("Please refill my inhaler", BO)
    async with console(clinic.crm, "kim") as hands:
        await to_lane(hands, "Refills")
        await hands.press("c", "slash")
        await hands.type("owner:me")
        await hands.until(lambda: hands.sees("FILTERED 1 of 2"))
        await hands.type(" colour:red")
        await hands.until(lambda: hands.sees("A filter has no field colour; use owner, due, lane"))
        assert hands.app.screen.query_one(FilterLine).text == "owner:me colour:red"
        await hands.press(*["backspace"] * 11)
        await hands.type(" owner:nobody.here")
        await hands.until(lambda: hands.sees("There is no account nobody.here"))
        await hands.press("escape")
        await hands.until(lambda: not hands.sees("FILTERED"))
        hands.expect("Bo Iversen")


async def test_a_named_lane_or_a_quoted_word_looks_over_all_my_lanes_and_says_so(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    clinic.text(REFILL)
    clinic.text(BILL, BO)
    async with console(clinic.crm, "kim") as hands:
        await to_lane(hands, "Refills")
        await hands.press("slash")
        await hands.type("lane:billing,refills")
        await hands.until(lambda: hands.sees("FILTERED 2 of 2"))
        hands.expect("all my lanes")
        hands.expect("All my lanes")
        await hands.press("escape", "slash")
        await hands.type('"bill"')
        await hands.press("enter")
        await hands.until(lambda: hands.sees("FILTERED 1 of 2"))
        hands.expect("Bo Iversen")
        await hands.press("K")
        assert not hands.sees("FILTERED"), "another lane is another list"


async def test_words_open_texts_when_enter_says_so_and_not_whenever_something_changes(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    clinic.text(REFILL)
    clinic.text("Please refill my inhaler", BO)
    async with console(clinic.crm, "kim") as hands:
        await to_lane(hands, "Refills")
        await hands.press("slash")
        await hands.type("metformin")
        await hands.until(lambda: hands.sees("enter looks for these words"))
        hands.expect("Bo Iversen")
        await hands.press("enter")
        await hands.until(lambda: hands.sees("FILTERED 1 of 2"))
        searches = [row for row in audited(clinic.crm) if row["why"] == "search by words"]
        assert sorted(row["subject"] for row in searches) == ["message", "patient"]
        clinic.text("and metformin again", BO)
        await hands.settle()
        hands.expect("FILTERED 1 of 2")
        assert [row for row in audited(clinic.crm) if row["why"] == "search by words"] == searches
        await hands.press("slash", "enter")
        await hands.until(lambda: hands.sees("FILTERED 2 of 2"))


async def test_views_are_counted_when_they_are_asked_for_and_look_over_all_lanes(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    clinic.text(REFILL)
    clinic.text(BILL, BO)
    async with console(clinic.crm, "kim") as hands:
        await to_lane(hands, "Refills")
        await hands.press("c", "V")
        hands.expect("Which view?")
        hands.expect("Unowned 1 owner:none")
        hands.expect("Mine, escalated 0 escalated:me")
        await hands.type("unown")
        await hands.press("enter")
        await hands.until(lambda: hands.sees("FILTERED 1 of 2"))
        hands.expect("All my lanes · Unowned")
        hands.expect("Bo Iversen")
        await hands.press("escape")
        hands.expect("Refills ·")
        hands.expect("Ana Lopez")


async def test_the_filter_that_holds_is_saved_as_a_view_renamed_and_dropped(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text(REFILL)
    async with console(clinic.crm, "kim") as hands:
        await by_name(hands, "save view")
        hands.expect("No filter holds here")
        await hands.press("slash")
        await hands.type("lane:refills -is:snoozed")
        await hands.press("enter")
        await by_name(hands, "save view")
        hands.expect("For everybody")
        hands.expect("a supervisor shares views")
        await hands.press("enter")
        await hands.type("My refills")
        await hands.press("enter")
        hands.expect("Saved: My refills")
        await hands.press("escape", "V")
        await hands.type("my ref")
        await hands.press("enter")
        await hands.until(lambda: hands.sees("All my lanes · My refills"))
        await by_name(hands, "rename view")
        await hands.press("enter")
        await hands.type("Pills")
        await hands.press("enter")
        hands.expect("Renamed: Pills")
        await by_name(hands, "drop view")
        await hands.press("enter")
        hands.expect("Dropped: Pills")
        await by_name(hands, "drop view")
        hands.expect("No saved view is yours to change")


async def test_marks_stay_over_filters_and_a_bulk_verb_counts_names_and_goes_with_its_number(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT, Role.SUPERVISOR)
    numbers = [clinic.text("refill please", f"+1212555{1200 + at}").conversation_id for at in range(4)]
    clinic.text("I have chest pain", BO)
    async with console(clinic.crm, "kim") as hands:
        await to_lane(hands, "Refills")
        await hands.press("space", "slash")
        await hands.type("owner:none")
        await hands.press("enter")
        hands.expect("1 marked")
        await hands.press("asterisk")
        hands.expect("4 marked")
        hands.expect("Marked 4 · * once more unmarks")
        await hands.press("asterisk")
        assert not hands.sees("marked")
        await hands.press("escape", "V")
        await hands.type("unown")
        await hands.press("enter", "asterisk")
        hands.expect("5 marked")
        clinic.do(clinic.supervisor, close, numbers[0], outcome="resolved")
        await hands.press("d")
        await hands.press("enter")
        hands.expect("Closed: 3 conversations?")
        hands.expect("Left out: 1 with an open alarm, 1 closed meanwhile")
        await hands.type("4")
        await hands.press("enter")
        assert open_in(clinic, "lane:refills") == 3
        await hands.press("d", "enter")
        await hands.type("3")
        await hands.press("enter")
        hands.expect("Closed · 3 done · z undoes")
        assert open_in(clinic, "lane:refills") == 0
        await hands.press("z")
        hands.expect("Taken back: 3 closed")
        assert open_in(clinic, "lane:refills") == 3
        assert clinic.now_at(numbers[0]).state == "closed"


async def test_more_than_fifty_are_done_in_units_with_a_panel_and_one_z_takes_them_back(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    fill(clinic.crm, 120, clinic.patients["Ana"])
    async with console(clinic.crm, "kim") as hands:
        await to_lane(hands, "Front desk")
        await hands.press("asterisk", "s", "enter")
        hands.expect("120 conversations?")
        await hands.type("120")
        await hands.press("enter")
        await hands.until(lambda: hands.sees("120 done · z undoes"))
        assert not hands.app.screen.is_modal, "the panel has gone"
        assert open_in(clinic, "is:snoozed") == 120
        await hands.press("z")
        await hands.until(lambda: hands.sees("Taken back: 120 snoozed"))
        assert open_in(clinic, "is:snoozed") == 0


async def test_the_journal_survives_a_restart_and_takes_back_any_act_that_is_possible(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    first = clinic.text(REFILL).conversation_id
    second = clinic.text("Please refill my inhaler", BO).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await to_lane(hands, "Refills")
        for _ in range(2):
            await hands.press("s", "enter")
            clinic.crm.clock.move(timedelta(seconds=60))  # type: ignore[attr-defined]
        await hands.press("ctrl+q")
    assert open_in(clinic, "is:snoozed") == 2
    async with console(clinic.crm, "kim") as hands:
        await by_name(hands, "undo journal")
        hands.expect("Take back which?")
        assert hands.screen.count("still possible") == 2
        await hands.type(f"C-{first}")
        await hands.press("enter")
        hands.expect(f"Taken back: C-{first} snoozed")
        assert clinic.now_at(first).state == "new"
        assert clinic.now_at(second).state == "snoozed"
        await by_name(hands, "undo journal")
        hands.expect("taken back already")
        await hands.type(f"C-{first}")
        await hands.press("enter")
        hands.expect("Take back which?")
        await hands.press("escape", "z")
        assert clinic.now_at(second).state == "new", "z goes on after a restart"


async def test_a_held_text_is_in_the_journal_with_its_seconds(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(REFILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "r")
        await hands.type("Yes, today.")
        await hands.press("ctrl+s")
        clinic.crm.clock.move(timedelta(seconds=6))  # type: ignore[attr-defined]
        await by_name(hands, "undo journal")
        hands.expect("held, goes out in 9 s")
        await hands.press("enter")
        assert clinic.now_at(number).state == "open"
        hands.expect("Yes, today.")
        assert not hands.sees("goes out in"), "it is counted down no more"


async def test_marks_are_no_part_of_another_lane(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text(REFILL)
    async with console(clinic.crm, "kim") as hands:
        await to_lane(hands, "Refills")
        await hands.press("space")
        hands.expect("1 marked")
        await hands.press("K", "J")
        assert not hands.app.screen.query_one(QueueList).marked


async def test_under_the_curtain_no_saved_view_tells_whom_it_is_about(clinic: Clinic, account: Account) -> None:
    kim = account("kim", Role.AGENT)
    clinic.text(REFILL)
    clinic.do(kim, save_view, "Ana Lopez", '"lopez"')
    async with console(clinic.crm, "kim") as hands:
        await to_lane(hands, "Refills")
        await hands.press("V")
        hands.expect("Ana Lopez")
        hands.expect('· "lopez"')
        await hands.press("escape", "f2", "V")
        hands.expect("Saved view 7")
        assert not hands.sees("Lopez")
        assert not hands.sees("lopez")
        await hands.type("saved")
        await hands.press("enter")
        await hands.until(lambda: hands.sees("FILTERED 1 of 1"))
        hands.expect("All my lanes · a saved view")
        assert not hands.sees("lopez"), "the words of the filter are dots"
        await hands.press("f2")
        hands.expect("All my lanes · Ana Lopez")
        hands.expect('"lopez"')


async def test_what_changed_since_is_named_when_many_are_taken_back(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    numbers = [clinic.text("refill please", f"+1212555{1200 + at}").conversation_id for at in range(3)]
    async with console(clinic.crm, "kim") as hands:
        await to_lane(hands, "Refills")
        await hands.press("asterisk", "s", "enter")
        await hands.type("3")
        await hands.press("enter")
        hands.expect("3 done · z undoes")
        clinic.do(clinic.supervisor, close, numbers[1], outcome="resolved")
        await hands.settle()
        await hands.press("z")
        hands.expect("Taken back: 2 snoozed · 1 left as they are")
        assert f"C-{numbers[1]}: something else happened since" in hands.toasts
        assert clinic.now_at(numbers[1]).state == "closed"
