"""Writing to the right person: what is refused, what is asked, what is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from crm_tui.widgets.composer import Composer, ComposerText
from crm_tui.widgets.footer import CommandFooter
from crm_tui.widgets.identity import IdentityBar, IdentityGuard
from crm_tui.widgets.line import Line
from tests.widgets.work_stage import ANN, BO, WorkStage


@asynccontextmanager
async def _writing(key: str = "r", stage: WorkStage | None = None) -> AsyncIterator[tuple[WorkStage, Pilot[None]]]:
    app = stage or WorkStage(BO)
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        app.time += 0.4
        yield app, pilot


def _said(app: WorkStage) -> str:
    return app.query_one(CommandFooter).text


def _hint(app: WorkStage) -> str:
    return app.query_one("#composer-hint", Line).text


async def test_ctrl_s_asks_for_the_text_to_be_sent_once() -> None:
    async with _writing() as (app, pilot):
        await pilot.press(*"yes", "ctrl+s", "ctrl+s")
        sent = [event for event in app.log_of if isinstance(event, Composer.SendRequested)]
        assert [(event.conversation, event.text, event.confirmed) for event in sent] == [(1042, "yes", False)]
        assert "Held 15 s" in _said(app) or "Nothing is being written" in _said(app)


async def test_keys_are_dropped_until_the_identity_has_been_seen_for_a_moment() -> None:
    app = WorkStage(BO)
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.press("r", *"dnm", "backspace", "ctrl+s")
        composer = app.query_one(Composer)
        assert composer.text == ""
        app.time += 0.39
        await pilot.press("x")
        assert composer.text == ""
        app.time += 0.02
        await pilot.press("x")
        assert composer.text == "x"
        assert not app.log_of or not isinstance(app.log_of[-1], Composer.SendRequested)


async def test_another_patient_closes_the_keys_again_and_the_same_does_not() -> None:
    async with _writing() as (app, pilot):
        composer = app.query_one(Composer)
        composer.show_identity(BO)
        assert composer.guard.is_open
        composer.show_identity(ANN)
        assert not composer.guard.is_open
        assert "changed" in (composer.why_not_send() or "") or not composer.text
        await pilot.pause()
        app.time += 0.4
        assert composer.guard.is_open


async def test_a_shared_number_is_named_and_needs_a_y() -> None:
    async with _writing(stage=WorkStage(ANN)) as (app, pilot):
        await pilot.press(*"hi", "ctrl+s")
        assert "shared by 2" in app.query_one("#composer-identity", IdentityBar).text
        assert "Press y" in _hint(app)
        await pilot.press("x")
        assert "Press y" not in _hint(app)
        assert app.query_one(Composer).text == "hi"
        await pilot.press("ctrl+s", "y")
        sent = [event for event in app.log_of if isinstance(event, Composer.SendRequested)]
        assert [(event.text, event.confirmed) for event in sent] == [("hi", True)]


async def test_nothing_is_sent_while_identities_are_masked() -> None:
    async with _writing() as (app, pilot):
        await pilot.press(*"hi", "f2", "ctrl+s")
        assert "masked" in _said(app)
        assert "Lindqvist" not in app.query_one("#composer-identity", IdentityBar).text
        await pilot.press("f2", "ctrl+s")
        assert any(isinstance(event, Composer.SendRequested) for event in app.log_of)


async def test_an_empty_text_is_refused() -> None:
    async with _writing() as (app, pilot):
        await pilot.press("space", "ctrl+s")
        assert "nothing to send" in _said(app)


async def test_a_note_says_internal_and_is_only_saved() -> None:
    async with _writing("i", WorkStage(ANN)) as (app, pilot):
        assert _hint(app).startswith("INTERNAL")
        assert not app.query_one(Composer).has_unsent
        await pilot.press("ctrl+s")
        sent = [event for event in app.log_of if isinstance(event, Composer.SendRequested)]
        assert [(event.purpose, event.text) for event in sent] == [("note", "Ask Dr. Iwu.")]


async def test_leaving_keeps_the_draft_and_sending_does_not() -> None:
    async with _writing() as (app, pilot):
        await pilot.press(*"half")
        assert app.query_one(Composer).has_unsent
        await pilot.press("escape")
        drafts = [event.text for event in app.log_of if isinstance(event, Composer.DraftChanged)]
        assert drafts == ["half"]
        assert not app.query_one(Composer).display
        assert app.query_one(ComposerText).text == ""


async def test_a_template_goes_before_what_is_written_and_is_named() -> None:
    async with _writing() as (app, pilot):
        composer = app.query_one(Composer)
        await pilot.press(*"me")
        composer.insert_template("refill-sent", "Hello Bo,")
        await pilot.pause()
        assert composer.text == "Hello Bo,\n\nme"
        assert "template refill-sent" in _hint(app)


def test_a_paint_of_an_older_identity_does_not_open_the_keys() -> None:
    time = [0.0]
    guard = IdentityGuard(monotonic=lambda: time[0])
    assert guard.changed("ann")
    assert guard.changed("bo")
    guard.painted("ann")
    time[0] = 10.0
    assert not guard.is_open
    guard.painted("bo")
    assert not guard.is_open
    time[0] = 10.4
    assert guard.is_open
