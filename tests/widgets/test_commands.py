"""The registry: one place for keys, footer, palette, help and the cheat sheet."""

from __future__ import annotations

from collections import Counter

from textual.app import ComposeResult
from textual.binding import Binding
from textual.command import CommandPalette
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Input

from crm_core.access.model import Permission
from crm_tui.app import CrmApp
from crm_tui.cheat_sheet import PAGE, cheat_sheet
from crm_tui.command_host import CommandHost
from crm_tui.commands import (
    COMMANDS,
    Command,
    Group,
    bindings,
    command,
    help_sections,
    shown_key,
)
from crm_tui.palette import Commands
from crm_tui.safe_app import SafeApp
from crm_tui.screens.library import LibraryScreen
from crm_tui.screens.template_editor import TemplateEditor
from crm_tui.widgets.footer import MOST_IN_FOOTER, fitting

_ALIASES_OF_OTHER_KEYS = {"ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m", "ctrl+[", "ctrl+b", "ctrl+a"}
_FIRST_LIGHT = (
    "n N r t i p L c a m x s d z w / ctrl+f ! A : ctrl+p ? f1 f2 ctrl+l ctrl+q "
    "j k g G ctrl+d ctrl+u enter escape [ ] J K tab 1 space ctrl+s"
)


def test_every_key_of_first_light_has_one_command() -> None:
    keys = Counter(key for one in COMMANDS for key in one.keys if one.group is not Group.LIBRARY)
    assert not [key for key in _FIRST_LIGHT.split() if keys[key] != 1]
    assert not [key for key, count in keys.items() if count > 1]


def test_a_key_of_the_library_is_no_other_command_of_the_library() -> None:
    taken = {name for host in (CrmApp, LibraryScreen, TemplateEditor) for name in _bound(host)}
    keys = Counter(key for one in COMMANDS if one.id in taken for key in one.keys)
    assert {"library_edit", "library_save", "undo", "curtain"} <= taken
    assert [key for key, count in keys.items() if count > 1] == []


def _bound(host: type[DOMNode]) -> set[str]:
    bindings = (one for kind in host.__mro__ for one in vars(kind).get("BINDINGS", ()))
    return {one.id for one in bindings if isinstance(one, Binding) and one.id}


def test_no_key_is_another_key_to_a_terminal() -> None:
    assert not [one.id for one in COMMANDS if _ALIASES_OF_OTHER_KEYS & set(one.keys)]


def test_ids_are_unique_and_texts_are_there() -> None:
    assert len({one.id for one in COMMANDS}) == len(COMMANDS)
    for one in COMMANDS:
        assert one.help.endswith("."), one.id
        assert one.title and one.label, one.id


def test_permissions_are_those_the_core_knows() -> None:
    known = {permission.value for permission in Permission}
    assert {one.permission for one in COMMANDS} - {""} <= known


def test_the_cheat_sheet_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == cheat_sheet(), "run `python -m crm_tui.cheat_sheet`"


def test_the_footer_has_at_most_eight_entries_and_fits() -> None:
    everything = [one.id for one in COMMANDS]
    for width in (40, 60, 80, 120, 160):
        chosen = fitting(everything, width)
        assert sum(len(shown_key(one.keys[0])) + len(one.label) + 3 for one in chosen) <= width
    assert 5 <= len(fitting(everything, 80)) <= MOST_IN_FOOTER
    assert len(fitting(everything, 160)) > MOST_IN_FOOTER
    assert fitting(everything, 80)[0].footer == 1


def test_help_shows_each_command_once_by_group() -> None:
    sections = help_sections()
    assert [group for group, _ in sections] == list(Group)
    assert sum(len(commands) for _, commands in sections) == len(COMMANDS)
    assert help_sections(["why"]) == [(Group.ASK, [command("why")])]


def test_a_key_that_types_nothing_outranks_a_text_field_and_a_letter_does_not() -> None:
    made = {one.key: one for one in bindings("palette", "take_next") if isinstance(one, Binding)}
    assert made["ctrl+p"].priority
    assert not made[":"].priority
    assert not made["n"].priority
    assert made["n"].id == "take_next"


class _Work(CommandHost, Screen[None]):
    BINDINGS = bindings("take_next", "close", "undo", "open_alarm")

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.closed = False

    def compose(self) -> ComposeResult:
        yield Input()

    def why_not(self, command: Command) -> str | None:
        return "Nothing is open; press n first." if command.id == "close" else None

    def drops_keys(self) -> bool:
        return self.closed

    def do_open_alarm(self) -> None:
        self.done.append("alarm")

    def do_take_next(self) -> None:
        self.done.append("next")

    def do_close(self) -> None:
        self.done.append("close")

    async def do_undo(self) -> None:
        self.done.append("undo")


class _Console(SafeApp[None]):
    def on_mount(self) -> None:
        self.push_screen(_Work())


async def test_a_key_runs_the_method_of_its_command_and_a_refused_one_says_why() -> None:
    app = _Console()
    async with app.run_test(notifications=True) as pilot:
        screen = app.screen
        assert isinstance(screen, _Work)
        screen.set_focus(None)
        await pilot.press("n", "d", "z")
        assert screen.done == ["next", "undo"]
        said = [one.message for one in app._notifications]
        assert said == ["Close with an outcome: Nothing is open; press n first."]


async def test_while_a_new_patient_is_painted_commands_are_dropped_but_not_the_alarm() -> None:
    app = _Console()
    async with app.run_test() as pilot:
        screen = app.screen
        assert isinstance(screen, _Work)
        screen.set_focus(None)
        screen.closed = True
        await pilot.press("n", "z", "exclamation_mark")
        assert screen.done == ["alarm"]


async def test_a_user_may_give_a_command_another_key() -> None:
    app = _Console()
    async with app.run_test() as pilot:
        screen = app.screen
        assert isinstance(screen, _Work)
        screen.set_focus(None)
        app.set_keymap({"take_next": "f5"})
        await pilot.press("n", "f5")
        assert screen.done == ["next"]


async def test_the_palette_offers_the_registry_and_no_screenshot() -> None:
    app = _Console()
    async with app.run_test() as pilot:
        await pilot.press("ctrl+p")
        assert isinstance(app.screen, CommandPalette)
        provider = Commands(app.screen_stack[-2])
        offered = [hit.text async for hit in provider.discover()]
        assert offered == ["Take the next item", "Close with an outcome", "Undo", "Open the alarm", "Change theme"]
        found = [hit.text async for hit in provider.search("next it")]
        assert found[0] == "Take the next item"
        assert list(app.COMMANDS) == [Commands]
        assert not list(app.get_system_commands(app.screen))
        assert app.deliver_screenshot() is None
        await pilot.press("escape")
        assert not isinstance(app.screen, CommandPalette)
