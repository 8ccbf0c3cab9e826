"""Playing a scene: keys go to the console's terminal, its screens come back as text."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.tour.clinic import TourClinic
from tests.tour.steps import Scene, Step, Typed
from tests.tour.told_time import ToldTime
from tests.widgets.terminal_session import TerminalSession

CALM = 6
"""Pulses in a row without work or a change of the screen, after which it is at rest; a pause of the console's own
(the preview's 250 ms, the change feed's) is shorter."""
BETWEEN_KEYS = 3
_LONGEST = 30.0

_BYTES = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "space": " ",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pagedown": "\x1b[6~",
    "pageup": "\x1b[5~",
    "backspace": "\x7f",
    "shift+tab": "\x1b[Z",
    **{f"f{number}": code for number, code in zip(range(1, 5), ("\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS"), strict=True)},
    "f5": "\x1b[15~",
    "f6": "\x1b[17~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
}


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A step's screen at one size."""

    step: Step
    lines: tuple[str, ...]


class NotShown(AssertionError):
    """A step did not come to what it says; the message holds the screen."""


def play(scene: Scene, template: Path, size: tuple[int, int]) -> tuple[Shot, ...]:
    """Do one scene at one size over a copy of the clinic; NotShown where a step fails."""
    with tempfile.TemporaryDirectory(prefix="crm-tour-") as folder:
        home = Path(folder)
        shutil.copytree(template, home, dirs_exist_ok=True)
        with ToldTime(home / "told") as told, TourClinic(home, told) as clinic:
            if scene.before is not None:
                scene.before(clinic)
            columns, rows = size
            with TerminalSession("-m", "tests.tour.console", str(home), scene.who, columns=columns, rows=rows) as term:
                return tuple(_Player(scene, term, told, clinic).shot(step) for step in scene.steps)


class _Player:
    """One scene under way."""

    def __init__(self, scene: Scene, terminal: TerminalSession, told: ToldTime, clinic: TourClinic) -> None:
        self._scene, self._terminal, self._told, self._clinic = scene, terminal, told, clinic

    def shot(self, step: Step) -> Shot:
        """Do a step, and look at the screen once it has come to rest."""
        self._told.pass_by(step.passes)
        if step.meanwhile is not None:
            step.meanwhile(self._clinic)
        for number, key in enumerate(step.keys):
            if number or step.passes:
                self._rest(BETWEEN_KEYS, step)
            self._told.pass_by(1)
            self._terminal.send(key.words if isinstance(key, Typed) else _BYTES.get(key) or _typed(key))
        if step.ends:
            assert self._terminal.finish() == 0, "the console ended with an error"
            return Shot(step=step, lines=())
        self._look(step)
        return Shot(step=step, lines=tuple(self._terminal.lines))

    def _look(self, step: Step) -> None:
        """Wait for a step's words, and until nothing moves any more; NotShown where they are not there then."""
        for words in step.shows:
            self._until(lambda words=words: self._sees(words), step, f"“{words}” is not on the screen")
        self._rest(CALM, step)
        if self._sees("Something went wrong here"):
            raise self._failed(step, "something broke")
        for words in step.shows:
            if not self._sees(words):
                raise self._failed(step, f"“{words}” went away again")
        for words in step.hides:
            if self._sees(words):
                raise self._failed(step, f"“{words}” is on the screen")

    def _sees(self, words: str) -> bool:
        """Whether the words are there, wherever a line breaks, whatever frame stands between."""
        shown = " ".join(line.strip(" │┃█▌▐▊▎▍▁▔") for line in self._terminal.lines)
        return " ".join(words.split()) in " ".join(shown.split())

    def _rest(self, pulses: int, step: Step) -> None:
        """Wait until the console had nothing to do for so many of its pulses, and its screen has not changed."""
        before: tuple[str, ...] = ()
        since = self._told.pulses
        end = time.monotonic() + _LONGEST
        while True:
            self._terminal.settle(quiet=0.02)
            shown = tuple(self._terminal.lines)
            if shown != before:
                before, since = shown, self._told.pulses
            elif min(self._told.calm, self._told.pulses - since) >= pulses:
                return
            if time.monotonic() > end:
                raise self._failed(step, "the console does not come to rest")

    def _until(self, holds: object, step: Step, otherwise: str) -> None:
        assert callable(holds)
        try:
            self._terminal.wait(holds, seconds=_LONGEST)
        except AssertionError:
            raise self._failed(step, otherwise) from None

    def _failed(self, step: Step, what: str) -> NotShown:
        log = self._clinic.crm.settings.home / "crm.log"
        screen = "\n".join([*self._terminal.lines, *(log.read_text().splitlines() if log.exists() else [])])
        return NotShown(f"{self._scene.title} · {step.title}: {what}:\n{screen}")


def _typed(key: str) -> str:
    """The character of a key, or of a control key such as `ctrl+s`."""
    if key.startswith("ctrl+"):
        return chr(ord(key.removeprefix("ctrl+")) & 0x1F)
    assert len(key) == 1, key
    return key
