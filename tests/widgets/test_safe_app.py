"""What the app beneath every screen keeps in: the clipboard, the scrollback, toasts, foreign themes."""

from __future__ import annotations

import base64

import pytest
from textual.app import ComposeResult
from textual.color import Color
from textual.widgets import Static

from crm_tui.safe_app import SafeApp
from crm_tui.themes import THEMES
from tests.widgets.terminal_session import TerminalSession

_PATIENT = "Sentinel Patient"


class _App(SafeApp[None]):
    CSS = "Static { color: $due-late; background: $alarm; }"

    def __init__(self, *, may_copy: bool = False) -> None:
        super().__init__(may_copy=may_copy)
        self.left = 0

    def compose(self) -> ComposeResult:
        yield Static("ready", markup=False)

    def copied(self, characters: int) -> None:
        self.left += characters


async def test_a_copy_stays_inside_unless_the_policy_lets_it_out() -> None:
    for may_copy, left in ((False, 0), (True, len(_PATIENT))):
        app = _App(may_copy=may_copy)
        async with app.run_test():
            written: list[str] = []
            assert app._driver is not None
            app._driver.write = written.append  # type: ignore[method-assign, assignment]
            app.copy_to_clipboard(_PATIENT)
            assert app.clipboard == _PATIENT
            assert app.left == left
            encoded = base64.b64encode(_PATIENT.encode()).decode()
            assert (encoded in "".join(written)) is may_copy


async def test_locking_forgets_the_clipboard() -> None:
    app = _App()
    async with app.run_test():
        app.copy_to_clipboard(_PATIENT)
        app.clear_scrollback()
        assert app.clipboard == ""


async def test_a_toast_is_text_even_when_someone_asks_for_markup() -> None:
    app = _App()
    async with app.run_test(notifications=True) as pilot:
        app.notify("[@click=app.quit]Bob[/] \x1b]0;x\x07", title="[b", markup=True)
        await pilot.pause()
        (toast,) = app._notifications
        assert toast.markup is False
        assert "\x1b" not in toast.message
        assert toast.message.startswith("[@click=app.quit]Bob[/]")


async def test_a_theme_that_is_not_ours_does_not_break_our_colours() -> None:
    app = _App()
    async with app.run_test() as pilot:
        app.theme = "nord"
        await pilot.pause()
        assert app.query_one(Static).styles.background.hex.lower() == THEMES[0].variables["alarm"]


def test_clearing_the_scrollback_reaches_the_terminal() -> None:
    code = (
        "from tests.widgets.test_safe_app import _App\n"
        "class A(_App):\n    BINDINGS = [('c', 'c')]\n    def action_c(self): self.clear_scrollback(); self.exit()\n"
        "A().run()"
    )
    with TerminalSession("-c", code) as terminal:
        terminal.wait_for("ready")
        terminal.send("c")
        assert terminal.finish() == 0
        assert b"\x1b[3J" in terminal.received


def _contrast(text: str, ground: str) -> float:
    lights = sorted((_luminance(Color.parse(text)), _luminance(Color.parse(ground))), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def _luminance(color: Color) -> float:
    channels = [part / 255 for part in (color.r, color.g, color.b)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("theme", "least"), [(theme, 7.0 if theme.name == "contrast" else 4.5) for theme in THEMES])
def test_every_text_stands_out_from_its_ground(theme: object, least: float) -> None:
    colours = {**vars(theme), **vars(theme)["variables"]}
    on_ground = ("foreground", "quiet", "due-late", "due-soon", "urgency-stat", "urgency-asap", "urgency-urgent")
    pairs = [
        (text, ground)
        for text in (*on_ground, "error", "warning", "success", "primary", "accent")
        for ground in ("background", "surface")
    ]
    pairs += [("foreground", "panel"), ("quiet", "panel"), ("warning", "panel"), ("success", "panel")]
    pairs += [("alarm-text", "alarm"), ("internal-text", "internal")]
    pairs += [
        (f"block-cursor{blurred}-foreground", f"block-cursor{blurred}-background") for blurred in ("", "-blurred")
    ]
    weak = {pair: round(_contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in pairs}
    assert not {pair: ratio for pair, ratio in weak.items() if ratio < least}
