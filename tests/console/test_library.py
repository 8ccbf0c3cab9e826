"""Mode 6 by its keys: a template is read, written, submitted, sent back, approved, compared and retired."""

from __future__ import annotations

import pytest

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.app import Crm
from crm_core.library import queries, service, writing
from crm_core.library.model import TemplateView
from crm_tui.screens.lanes import LanesScreen
from crm_tui.screens.library import LibraryScreen
from crm_tui.screens.template_editor import EditorText, TemplateEditor
from tests.console.conftest import Account, Clinic
from tests.console.hands import Hands, console
from tests.library.conftest import text

BOTH = pytest.mark.parametrize("size", [(80, 24), (160, 48)])


def versions(crm: Crm, key: str = "hello", language: str = "en") -> list[TemplateView]:
    with crm.read(SYSTEM) as unit:
        return queries.show(unit, key, language)


def write(crm: Crm, actor: Actor, above: int | None = None, **changes: object) -> None:
    with crm.write(actor) as unit:
        writing.write(unit, text(**changes), above=above)


async def find(hands: Hands, *words: str) -> None:
    """Open the library and filter it."""
    await hands.press("6", "/")
    await hands.type(" ".join(words))
    await hands.press("enter")


@BOTH
async def test_the_library_shows_each_template_with_its_state_and_what_it_says(
    clinic: Clinic, account: Account, size: tuple[int, int]
) -> None:
    author = account("kim", Role.NURSE)
    write(
        clinic.crm, author, then={"close": "resolved"}, body="Hi {{ patient.first_name }}, thanks for your note today."
    )
    async with console(clinic.crm, "kim", size=size) as hands:
        await hands.press("6")
        assert isinstance(hands.app.screen, LibraryScreen)
        hands.expect("Library: all")
        await find(hands, "hello", "draft")
        hands.expect("FILTERED 1 of")
        if size[0] < 100:
            await hands.press("tab")
        hands.expect("hello · en · version 1 · draft")
        hands.expect("then: closes as resolved")
        hands.expect("1 text message with long names")
        hands.expect("approved in no language, missing in en, es")
        hands.expect("Hi {{ patient.first_name }}, thanks")
        await hands.press(*(["escape"] if size[0] < 100 else []), "escape", "escape")
        assert isinstance(hands.app.screen, LanesScreen)


@BOTH
async def test_a_new_version_is_written_with_its_mistakes_in_view_kept_and_submitted(
    clinic: Clinic, account: Account, size: tuple[int, int]
) -> None:
    write(clinic.crm, account("kim", Role.NURSE))
    async with console(clinic.crm, "kim", size=size) as hands:
        await find(hands, "hello")
        await hands.press("e")
        assert isinstance(hands.app.screen, TemplateEditor)
        area = hands.app.screen.query_one(EditorText)
        await hands.type(" Text CANCEL to end. {{ patient.mrn }}")
        await hands.until(lambda: hands.sees("there is no field patient.mrn"))
        await hands.press("ctrl+s")
        assert isinstance(hands.app.screen, TemplateEditor), "what does not hold together is not kept"
        for _ in range(len("{{ patient.mrn }}")):
            await hands.pilot.press("backspace")
        await hands.until(lambda: hands.sees("wrong") and hands.sees("asks for the word CANCEL"))
        hands.expect("1 text message")
        await hands.press("ctrl+s")
        assert isinstance(hands.app.screen, LibraryScreen)
        assert [view.number for view in versions(clinic.crm)] == [2, 1]
        await hands.press("s")
        assert "asks for the word CANCEL" in hands.toasts
        await hands.press("e")
        area = hands.app.screen.query_one(EditorText)
        area.text = area.text.replace(" Text CANCEL to end.", " We are here if you need us.")
        await hands.press("ctrl+s", "s")
        assert [view.state.value for view in versions(clinic.crm)] == ["in_review", "retired", "retired"]


async def test_leaving_unkept_words_is_asked_about_and_no_is_the_answer_at_hand(
    clinic: Clinic, account: Account
) -> None:
    write(clinic.crm, account("kim", Role.NURSE))
    async with console(clinic.crm, "kim") as hands:
        await find(hands, "hello")
        await hands.press("e")
        await hands.type(" More.")
        await hands.press("escape", "enter")
        assert isinstance(hands.app.screen, TemplateEditor)
        assert hands.app.screen.is_changed
        await hands.press("escape", "y")
        assert isinstance(hands.app.screen, LibraryScreen)
        assert len(versions(clinic.crm)) == 1


async def test_what_is_being_written_is_kept_as_a_draft_when_the_console_locks(
    clinic: Clinic, account: Account
) -> None:
    write(clinic.crm, account("kim", Role.NURSE))
    async with console(clinic.crm, "kim") as hands:
        await find(hands, "hello")
        await hands.press("e")
        await hands.type(" More words.")
        await hands.press("ctrl+l")
        await hands.settle()
        assert versions(clinic.crm)[0].body.endswith("More words.")
        await hands.press("enter")
        await hands.type(" And more.")
        await hands.press("ctrl+s")
        assert versions(clinic.crm)[0].body.endswith("More words. And more.")


async def test_a_new_template_and_a_new_language_begin_from_what_is_there(clinic: Clinic, account: Account) -> None:
    write(clinic.crm, account("kim", Role.NURSE))
    async with console(clinic.crm, "kim") as hands:
        await hands.press("6", "N")
        await hands.type("refill_delayed")
        await hands.press("enter")
        await hands.until(lambda: hands.sees("body: ") or hands.sees("wrong"))
        await hands.type("We are waiting for your pharmacy and will write again.")
        await hands.press("ctrl+s")
        assert versions(clinic.crm, "refill_delayed")[0].state == "draft"
        await hands.press("N")
        await hands.type("hello es")
        await hands.press("enter", "ctrl+s")
        assert "Nothing was changed." in hands.screen
        await hands.type(" Hola.")
        await hands.press("ctrl+s")
        assert versions(clinic.crm, "hello", "es")[0].body == "Hi {{ patient.first_name }}. Hola."
        await hands.press("N")
        await hands.type("hello")
        await hands.press("enter")
        hands.expect("It is there already")


async def test_an_approver_reads_what_changed_sends_it_back_and_approves_it(clinic: Clinic, account: Account) -> None:
    author = account("kim", Role.NURSE)
    write(clinic.crm, author)
    write(clinic.crm, author, above=1, body="Hello {{ patient.first_name }}.")
    with clinic.crm.write(author) as unit:
        service.submit(unit, "hello")
    account("ada", Role.APPROVER)
    async with console(clinic.crm, "ada", size=(160, 48)) as hands:
        await find(hands, "hello")
        await hands.press("d")
        hands.expect("- Hi {{ patient.first_name }}.")
        hands.expect("+ Hello {{ patient.first_name }}.")
        await hands.press("escape", "b")
        await hands.type("Say who we are.")
        await hands.press("enter")
        hands.expect("Sent back: Say who we are.")
        await hands.press("y")
        hands.expect("Version 2 of hello (en) may be sent from now on, under your name.")
        await hands.press("enter")
        assert versions(clinic.crm)[0].state == "draft", "the safe answer has the focus"
        await hands.press("y", "y")
        assert versions(clinic.crm)[0].state == "approved"
        hands.expect("To be read again by 2027-11-23, in 365 days.")
        await hands.press("R", "y")
        assert versions(clinic.crm)[0].state == "retired"


async def test_who_may_not_is_told_at_the_key(clinic: Clinic, account: Account) -> None:
    write(clinic.crm, account("kim", Role.NURSE, Role.APPROVER))
    account("pat", Role.AGENT)
    async with console(clinic.crm, "kim") as hands:
        await find(hands, "hello")
        await hands.press("y")
        hands.expect("Version 1 is your own; another approver must approve it.")
        await hands.press("b")
        hands.expect("Version 1 is draft; only what is in review is sent back.")
    async with console(clinic.crm, "pat") as hands:
        await find(hands, "hello")
        for key, says in (("e", "write"), ("N", "write"), ("s", "write"), ("y", "approve"), ("R", "approve")):
            await hands.press(key)
            hands.expect(f"Your roles may not {says} templates")
            assert isinstance(hands.app.screen, LibraryScreen)


async def test_versions_are_stepped_through_and_states_are_chosen(
    clinic: Clinic, account: Account, approved: None
) -> None:
    author = account("kim", Role.NURSE)
    write(clinic.crm, author)
    write(clinic.crm, author, above=1, title="Hello there")
    async with console(clinic.crm, "kim", size=(160, 48)) as hands:
        await find(hands, "hello")
        hands.expect("version 2 · draft")
        await hands.press("[")
        hands.expect("version 1 · retired")
        await hands.press("[")
        hands.expect("There is no other version on that side.")
        await hands.press("]", "escape", "o")
        hands.expect("Library: waiting for approval")
        assert not hands.sees("approved in en")
        await hands.press("o")
        hands.expect("Library: to be read again")
        hands.expect("No template answers to this.")


async def test_hostile_words_in_a_template_are_shown_as_words(clinic: Clinic, account: Account) -> None:
    write(clinic.crm, account("kim", Role.NURSE), title="[@click=app.quit]Hi[/] [b", body="[/] \x1b]52;c;aGk=\x07 hi.")
    async with console(clinic.crm, "kim", size=(160, 48)) as hands:
        await find(hands, "hello")
        hands.expect("[@click=app.quit]Hi[/] [b")
        assert "\x1b" not in hands.screen
        hands.expect("signs that cannot be seen")


async def test_moving_the_cursor_asks_the_store_nothing(clinic: Clinic, account: Account) -> None:
    from tests.inbox.looking import statements

    account("kim", Role.NURSE)
    async with console(clinic.crm, "kim", size=(160, 48)) as hands:
        with statements(clinic.crm.store.reading, clinic.crm.store.writing) as opening:
            await hands.press("6")
        assert isinstance(hands.app.screen, LibraryScreen)
        assert 0 < len([one for one in opening if "template" in one]) <= 4
        with statements(clinic.crm.store.reading, clinic.crm.store.writing) as heard:
            await hands.press("j", "j", "k", "G", "g", "tab", "j", "tab")
        hands.expect("Library: all")
        assert [one for one in heard if "template" in one] == []


async def test_a_macro_is_named_in_the_picker_and_the_composer_done_with_the_answer_and_taken_back_with_it(
    clinic: Clinic, account: Account
) -> None:
    author, approver = account("kim", Role.NURSE, Role.AGENT), account("ada", Role.APPROVER)
    write(clinic.crm, author, then={"close": "resolved"})
    with clinic.crm.write(approver) as unit:
        service.approve(unit, "hello")
    number = clinic.text("Can I get a refill of my lisinopril?").conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "t")
        hands.expect("macro")
        hands.expect("Then: closes as resolved")
        await hands.press("enter")
        hands.expect("then: closes as resolved · 1 text")
        await hands.press("ctrl+s")
        hands.expect("answered · closes as resolved")
        assert clinic.now_at(number).state == "closed"
        await hands.press("z")
        hands.expect("taken back, never sent")
        assert clinic.now_at(number).state in ("new", "open")
        hands.expect("then: closes as resolved · 1 text")
        await hands.press("ctrl+s")
        hands.expect("answered · closes as resolved")
        assert clinic.now_at(number).state == "closed"
