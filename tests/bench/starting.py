"""8 and 9: start and memory of the console, against an empty Textual app with the same store libraries."""

from __future__ import annotations

import os
import pwd
import time
from importlib.util import find_spec
from pathlib import Path

from crm_core.access.model import Role
from crm_core.app import Crm
from tests.bench.figures import Figure, middle, say
from tests.bench.stores import staff
from tests.widgets.terminal_session import TerminalSession

START_LIMIT, MEMORY_LIMIT = 1.4, 1.6
ROUNDS = 3
_FLOOR = Path(__file__).parent / "floors" / "empty_console.py"
_ENTRANCE, _QUEUE = "enter signs in", "late asap"
"""What the terminal shows where a person presses enter, and once the queue's most urgent rows are there."""
_EMPTY = "C-1"


def has_console() -> bool:
    """Whether the console's app stands."""
    return find_spec("crm_tui.app") is not None


def figures(crm: Crm, size: int) -> list[Figure]:
    """Medians of so many starts on a pty, by turns; memory is what is resident once the queue stands."""
    staff(crm, Role.SUPERVISOR, os_user=pwd.getpwuid(os.getuid()).pw_name)
    home = crm.settings.home
    assert crm.settings.database is not None
    (home / "crm.toml").write_text(_TOML.format(home=home), encoding="utf-8")
    ours: list[tuple[float, float]] = []
    empty: list[tuple[float, float]] = []
    for number in range(ROUNDS + 1):
        say(f"  start {number} of {ROUNDS}")
        console = _start(("-m", "crm_tui", "--home", str(home)), (_ENTRANCE, _QUEUE))
        nothing = _start((str(_FLOOR), str(home)), (_EMPTY,))
        if number:
            ours.append(console)
            empty.append(nothing)
    return [
        Figure(number=8, work="start to first queue", size=size, unit="ms", limit=START_LIMIT,
               measured=middle([s for s, _ in ours]) * 1000, floor=middle([s for s, _ in empty]) * 1000),
        Figure(number=9, work="memory of a console", size=size, unit="MB", limit=MEMORY_LIMIT,
               measured=middle([m for _, m in ours]), floor=middle([m for _, m in empty])),
    ]  # fmt: skip


_TOML = """[store]
url = "sqlite:///{home}/crm.db"

[key]
source = "file"
"""


def _start(args: tuple[str, ...], shown: tuple[str, ...]) -> tuple[float, float]:
    """Seconds until the last of `shown` is on the screen, enter pressed as soon as each before it is; MB."""
    started = time.perf_counter()
    with TerminalSession(*args, columns=120, rows=40) as terminal:
        for text in shown[:-1]:
            terminal.wait_for(text)
            terminal.send("\r")
        terminal.wait_for(shown[-1])
        took = time.perf_counter() - started
        terminal.settle(quiet=0.5)
        return took, _resident(terminal._process.pid)


def _resident(pid: int) -> float:
    """MB of a process that are in memory."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
