"""What really reaches a terminal, over a pseudo-terminal: bytes, escape sequences, crashes."""

from __future__ import annotations

import re
from functools import partial

import pytest

from tests.widgets.terminal_session import TerminalSession

_GALLERY = ("-m", "tests.widgets.gallery")
MOST_BYTES_A_MOVE = 1024


@pytest.mark.parametrize("columns", [80, 120])
def test_a_cursor_move_writes_at_most_a_kilobyte(columns: int) -> None:
    names = ["Bo Lindqvist 1", "Cyd O'Hara 2", "Dao Pham 3", "Eve Okafor 4", "Fay Zieliński 5", "Gus Peña 6"]
    with TerminalSession(*_GALLERY, "million", columns=columns) as terminal:
        terminal.wait_for("Ann Marsh 0")
        terminal.send("j")
        terminal.wait(lambda: terminal.lit(names[0]))
        terminal.settle()
        before = len(terminal.received)
        for name in names[1:]:
            terminal.send("j")
            terminal.wait(partial(terminal.lit, name))
        written = len(terminal.received) - before
    assert 0 < written <= (len(names) - 1) * MOST_BYTES_A_MOVE


def _refuse_what_is_obeyed(data: bytes) -> None:
    text = data.decode("utf-8")
    assert "\x1b]52" not in text
    assert "\x1b]0;" not in text
    assert "]52;c;SEFDS0VE" in text, "the text itself is shown"
    assert not set(text) & set("\u202e\u200d\x9b")
    bells = [match.start() for match in re.finditer("\x07", text)]
    own = ("\x1b]22;", "\x1b[1;1H")
    assert all(any(mark in text[max(0, at - 20) : at] for mark in own) for at in bells), "a bell came from data"


def test_no_escape_byte_of_data_reaches_the_terminal() -> None:
    with TerminalSession(*_GALLERY, "hostile", rows=40) as terminal:
        terminal.wait_for("[@click=app.quit]Bob[/]")
        terminal.wait_for("OSC Lee")
        terminal.wait_for("poison")
        terminal.settle()
        terminal.send("\x11")
        terminal.finish()
        _refuse_what_is_obeyed(bytes(terminal.received))


def test_nor_through_any_widget_of_a_screen() -> None:
    with TerminalSession(*_GALLERY, "hostile-work", columns=150, rows=50) as terminal:
        terminal.wait_for("[@click=app.quit]Bob[/]")
        terminal.wait_for("Cannot be used here")
        terminal.settle()
        for key in "mdw":
            terminal.send("\x1b[Z\x1b[Z\x1b[Z")
            terminal.send(key)
            terminal.settle()
            terminal.send("\x1b")
            terminal.settle()
        terminal.send("\x11")
        terminal.finish()
        _refuse_what_is_obeyed(bytes(terminal.received))


def test_a_name_that_is_markup_does_nothing_when_clicked() -> None:
    with TerminalSession(*_GALLERY, "hostile", rows=40) as terminal:
        terminal.wait_for("[@click=app.quit]Bob[/]")
        places = [(line.find("Bob") + 1, number) for number, line in enumerate(terminal.lines, 1) if "Bob" in line]
        assert places
        for column, line in places:
            terminal.send(f"\x1b[<0;{column};{line}M\x1b[<0;{column};{line}m")
        terminal.send("\x10")
        terminal.wait_for("Change theme")


@pytest.mark.parametrize("key", ["b", "w"])
def test_a_crash_tells_an_incident_and_no_value(key: str) -> None:
    with TerminalSession(*_GALLERY, "crash") as terminal:
        terminal.wait_for("ready")
        terminal.send(key)
        assert terminal.finish() != 0
        said = bytes(terminal.received).decode()
    assert re.search(r"incident [2-9A-Z]{4}-[2-9A-Z]{4}", said)
    assert "Sentinel" not in said
    assert "Traceback" not in said
    assert "ValueError" not in said


def test_a_lost_task_prints_nothing() -> None:
    with TerminalSession(*_GALLERY, "crash") as terminal:
        terminal.wait_for("ready")
        terminal.send("t")
        terminal.finish()
        assert b"Sentinel" not in terminal.received


def test_without_colour_the_words_remain() -> None:
    with TerminalSession(*_GALLERY, "queue", environ={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("DANGER")
        terminal.wait_for("2 h late")
        colours = re.findall(rb"38;2;(\d+);(\d+);(\d+)", bytes(terminal.received))
    assert all(red == green == blue for red, green, blue in colours)
