"""10: `crm --help`, against the same typer commands with empty bodies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bench.figures import Figure, by_turns, middle

LIMIT = 1.2
ROUNDS = 15
_FLOORS = Path(__file__).parent / "floors"


def figure() -> Figure:
    """Medians of whole processes, by turns."""

    def run(*args: str) -> None:
        subprocess.run([sys.executable, *args, "--help"], check=True, capture_output=True)

    def ours() -> None:
        run("-m", "crm_tui")

    def empty() -> None:
        run(str(_FLOORS / "empty_commands.py"))

    by_turns(2, ours, empty)
    through, alone = by_turns(ROUNDS, ours, empty)
    return Figure(
        number=10,
        work="crm --help",
        size=0,
        unit="ms",
        measured=middle(through) * 1000,
        floor=middle(alone) * 1000,
        limit=LIMIT,
    )
