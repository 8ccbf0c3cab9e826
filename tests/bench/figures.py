"""What one benchmark says: a ratio against its floor or peer, and the table of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table. `measured` and `floor` are in `unit`; `limit` is what the ratio is held to.

    `rate` says that more is better: the ratio must then reach the limit instead of keeping below it.
    """

    number: int
    work: str
    size: int
    unit: str
    measured: float
    floor: float
    limit: float
    rate: bool = False
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times its floor it takes, or reaches."""
        return self.measured / self.floor

    @property
    def met(self) -> bool:
        """Whether the target is met in this run."""
        return self.ratio >= self.limit if self.rate else self.ratio <= self.limit

    def as_json(self) -> dict[str, Any]:
        """Every field, with the ratio and whether it is met."""
        return asdict(self) | {"ratio": self.ratio, "met": self.met}


def p95(seconds: Sequence[float]) -> float:
    """The value that 95 of 100 keep below."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def seconds_of(work: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def by_turns(rounds: int, *works: Callable[[], object]) -> list[list[float]]:
    """Seconds of each call, the works taking turns: whatever else the machine does falls on all alike."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for seconds, work in zip(taken, works, strict=True):
            seconds.append(seconds_of(work))
    return taken


def middle(seconds: Sequence[float]) -> float:
    """The median."""
    return median(seconds)


_PLACES = {"ms": 2, "s": 2, "MB": 0, "rows/s": 0}
_HEADER = ("#", "work", "records", "measured", "floor", "ratio", "target", "", "")


def table(figures: Sequence[Figure], missing: Sequence[tuple[int, str, str]]) -> str:
    """The figures as aligned text, with what could not be measured and why."""
    lines: list[tuple[str, ...]] = [_HEADER]
    for each in sorted(figures, key=lambda figure: (figure.number, figure.work, figure.size)):
        places = _PLACES[each.unit]
        lines.append(
            (
                str(each.number),
                each.work,
                f"{each.size:,}",
                f"{each.measured:,.{places}f} {each.unit}",
                f"{each.floor:,.{places}f} {each.unit}",
                f"{each.ratio:.2f}",
                f"{'≥' if each.rate else '≤'} {each.limit:g}",
                "yes" if each.met else "NO",
                each.note,
            )
        )
    lines += [(str(number), work, "", "", "", "", "", "", reason) for number, work, reason in missing]
    widths = [max(len(line[place]) for line in lines) for place in range(len(_HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def say(text: str) -> None:
    """One line of progress on stderr."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {text}\n")
    sys.stderr.flush()
