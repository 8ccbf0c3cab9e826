"""Alarm line, lanes, pickers, dialogs, lock: what they say and what they answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.widgets import Button, Input, OptionList

from crm_tui.terminal import visible
from crm_tui.themes import THEMES, next_theme
from crm_tui.widgets.alarm_line import AlarmLine, AlarmState, alarm_text
from crm_tui.widgets.choice import Choice, Pick, Picked
from crm_tui.widgets.confirm import Confirm
from crm_tui.widgets.filter_line import FilterLine
from crm_tui.widgets.footer import CommandFooter
from crm_tui.widgets.identity import Identity, identity_text
from crm_tui.widgets.lane_list import LaneList
from crm_tui.widgets.line import Line
from crm_tui.widgets.panels import HelpPanel, Reason, WhyPanel, help_text, why_text
from crm_tui.widgets.picking import ranked, score
from crm_tui.widgets.queue_list import QueueList
from crm_tui.widgets.status_line import NextStep, next_step_text
from crm_tui.widgets.template_picker import TemplatePicker
from tests.widgets.stages import NOW
from tests.widgets.work_stage import ANN, LANES, LockStage, WorkStage

WIDE = (140, 40)


def test_the_alarm_says_how_many_how_old_and_who_has_it() -> None:
    state = AlarmState(count=2, oldest_at=NOW - timedelta(minutes=4))
    assert alarm_text(state, NOW) == "2 DANGER · oldest 4 min · nobody has it · ! opens"
    assert "Kim R. has it" in alarm_text(replace(state, holder="Kim R."), NOW)
    assert alarm_text(state, NOW, count_only=True) == "2 DANGER"
    assert alarm_text(AlarmState(), NOW) == "No alarm"


async def test_the_bell_rings_when_alarms_increase_and_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    app = WorkStage()
    rung: list[int] = []
    monkeypatch.setattr(app, "bell", lambda: rung.append(1))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        alarm = app.query_one(AlarmLine)
        assert len(rung) == 1
        for count, rings in ((2, 1), (3, 2), (1, 2), (0, 2), (1, 3)):
            alarm.show(AlarmState(count=count, oldest_at=NOW))
            assert len(rung) == rings
        alarm.show(AlarmState())
        assert not alarm.has_class("-danger")
        assert alarm.size.height == 1


async def test_the_age_of_an_alarm_grows_by_itself() -> None:
    app = WorkStage()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        alarm = app.query_one(AlarmLine)
        alarm.now = lambda: NOW + timedelta(minutes=3)
        alarm.tick()
        assert "oldest 7 min" in app.query_one("#alarm-text", Line).text


async def test_lane_counts_change_in_place_and_the_highlight_stays() -> None:
    app = WorkStage()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        lanes = app.query_one(LaneList)
        lanes.select_lane("refills")
        options = [lanes.get_option_at_index(index) for index in range(lanes.option_count)]
        lanes.show_lanes([replace(lane, overdue=lane.overdue + 1) for lane in LANES])
        await pilot.pause()
        assert lanes.lane == "refills"
        assert [lanes.get_option_at_index(index) for index in range(lanes.option_count)] == options
        assert str(lanes.get_option("refills").prompt).split() == ["Refills", "21", "9", "5"]


async def test_j_and_k_in_capitals_step_through_the_lanes_round_and_round() -> None:
    app = WorkStage()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("K")
        assert app.query_one(LaneList).lane == "clinical_triage"
        await pilot.press("J", "J")
        assert app.query_one(LaneList).lane == "front_desk"
        shown = [event.lane for event in app.log_of if isinstance(event, LaneList.Shown)]
        assert shown[-1] == "front_desk"


async def test_below_100_columns_one_pane_from_140_three() -> None:
    for width, panes in ((80, 1), (120, 2), (140, 3)):
        app = WorkStage()
        async with app.run_test(size=(width, 24)) as pilot:
            await pilot.pause()
            seen = [app.query_one("#detail").display, app.query_one(LaneList).display, app.query_one(QueueList).display]
            assert sum(seen) == panes


async def test_a_choice_narrows_as_it_is_typed_and_asks_for_words() -> None:
    app = WorkStage()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("m", *"cltr", "enter")
        await pilot.press("enter")
        assert isinstance(app.screen, Choice)
        await pilot.press(*"dose", "enter")
        assert app.answers == [Picked(id="clinical_triage", text="dose")]


async def test_a_refused_pick_says_why_and_escape_answers_none() -> None:
    app = WorkStage()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("m", *"phys", "enter")
        said = app.screen.query_one("#choice-said")
        assert said.has_class("-shown")
        assert "escalation" in str(said.render())
        await pilot.press("escape")
        assert app.answers == [None]


async def test_a_free_choice_takes_what_was_typed() -> None:
    app = WorkStage()
    async with app.run_test(size=WIDE) as pilot:
        app._ask(Choice("Until when?", [Pick(id="1h", name="in 1 hour")], free=True))
        await pilot.press(*"9:40", "enter")
        assert app.answers == [Picked(id="", text="9:40")]


async def test_a_bulk_action_goes_only_by_its_number() -> None:
    for typed, answer in (("11", False), ("12", True)):
        app = WorkStage()
        async with app.run_test(size=WIDE) as pilot:
            await pilot.press("d", *typed, "enter")
            assert app.answers == [answer]


async def test_the_safe_answer_has_the_focus() -> None:
    for keys, answer in ((["enter"], False), (["y"], True), (["n"], False), (["right", "enter"], True)):
        app = WorkStage()
        async with app.run_test(size=WIDE) as pilot:
            app._ask(Confirm("Acknowledge?", "The danger becomes yours."))
            await pilot.pause()
            assert isinstance(app.focused, Button)
            await pilot.press(*keys)
            assert app.answers == [answer]


async def test_the_picker_previews_and_refuses_what_lacks_a_field() -> None:
    app = WorkStage()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("t")
        picker = app.query_one(TemplatePicker)
        picker.query_one(Input).focus()
        await pilot.press(*"visit", "enter")
        assert picker.highlighted is not None
        assert picker.highlighted.refused
        assert "missing: appointment.start" in app.query_one(CommandFooter).text
        assert not any(isinstance(event, TemplatePicker.Chosen) for event in app.log_of)
        picker.query_one(Input).value = "early"
        await pilot.press("enter")
        chosen = [event.option.id for event in app.log_of if isinstance(event, TemplatePicker.Chosen)]
        assert chosen == ["refill-early"]


async def test_a_filter_says_so_until_it_is_cleared() -> None:
    app = WorkStage()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"ann", "enter")
        line = app.query_one(FilterLine)
        assert app.focused is app.query_one(QueueList)
        assert line.display
        assert "FILTERED 12 of 60" in line.query_one(Line).text
        await pilot.press("slash", "escape")
        assert not line.has_class("-shown")
        texts = [event.text for event in app.log_of if isinstance(event, FilterLine.Changed)]
        assert texts == ["ann", ""]


async def test_a_flash_takes_the_footers_place() -> None:
    app = WorkStage()
    async with app.run_test(size=WIDE) as pilot:
        footer = app.query_one(CommandFooter)
        await pilot.pause()
        assert footer.text.startswith("n next")
        footer.flash("Done · z undoes")
        assert footer.text == "Done · z undoes"
        footer._draw()
        assert footer.text.startswith("n next")


async def test_a_locked_screen_shows_the_count_and_keeps_no_password() -> None:
    app = LockStage()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"secret", "enter")
        assert [(event.name, event.password) for event in app.seen] == [("Kim R.", "secret")]
        assert app.query_one("#lock-password", Input).value == ""
        assert app.query_one(AlarmLine).text == "2 DANGER"
        assert "wait 2 s" in app.query_one("#lock-said", Line).text


async def test_help_and_why_open_and_close() -> None:
    app = WorkStage()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpPanel)
        await pilot.press("G", "escape", "w")
        assert isinstance(app.screen, WhyPanel)
        await pilot.press("q")
        assert not isinstance(app.screen, WhyPanel)


def test_reasons_are_numbered_and_say_what_was_seen() -> None:
    text = why_text((Reason(text="category is refill", passed=True, saw="[b] pills"), Reason(text="rule 7"))).plain
    assert text.splitlines()[0].split() == ["1", "yes", "category", "is", "refill", "saw", "[b]", "pills"]
    assert "No reason" in why_text(()).plain
    assert "Take and open" in help_text(["take_next"]).plain


def test_an_identity_names_what_must_be_noticed() -> None:
    text = identity_text(replace(ANN, changed_days=3, proxy="Bo (son)", deceased=True)).plain
    assert (
        text
        == "Ann Marsh · born 3 May 1961 · ···0143 · en · through Bo (son) · shared by 2 · changed 3 days ago · DECEASED"
    )
    assert "not linked" in identity_text(Identity(patient=0, name="+1 202 555 0143")).plain
    assert "Ann" not in identity_text(ANN, masked=True).plain
    hostile = replace(ANN, name="\x1b]52;c;QQ==\x07[/b]")
    assert visible(hostile.name) in identity_text(hostile).plain


def test_the_next_step_names_what_is_missing() -> None:
    assert next_step_text(NextStep(), NOW).plain == "nobody owns it · no next action · no clock"
    step = NextStep(owner="Kim", action="wait for the patient", paused=True, follow_up="asks again on Friday")
    assert next_step_text(step, NOW).plain == "Kim · wait for the patient · asks again on Friday"


def test_ranking_puts_starts_before_middles_and_letters_last() -> None:
    names = ["Prior refill", "Refill sent", "Reopen filing later", "Bill"]
    assert ranked("refill", names, str) == ["Refill sent", "Prior refill", "Reopen filing later"]
    assert ranked("", names, str) == names
    assert score("sent ref", "Refill sent") > 0
    assert score("sent xyz", "Refill sent") == 0


def test_the_themes_go_round() -> None:
    names = [theme.name for theme in THEMES]
    assert [next_theme(name) for name in names] == [*names[1:], names[0]]
    assert next_theme("nord") == names[0]
    assert all(theme.variables.keys() == THEMES[0].variables.keys() for theme in THEMES)


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_theme_dresses_every_widget(theme: str) -> None:
    app = WorkStage()
    async with app.run_test(size=WIDE) as pilot:
        app.theme = theme
        await pilot.press("m")
        await pilot.pause()
        assert app.screen.query_one(OptionList).option_count == len(LANES) + 1
