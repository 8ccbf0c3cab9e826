"""Which benchmark runs on which store: stores are filled once and serve several."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crm_core.app import Crm
from tests.bench import counting, filling, firing, helping, importing, painting, searching, starting, taking
from tests.bench.figures import Figure, say
from tests.bench.stores import Bench, refresh_statistics

SIZES = {"small": [10_000, 40_000], "full": [10_000, 100_000, 1_000_000]}
NUMBERS = tuple(range(1, 11))
FIRED = 30_000
"""Notices fired at most: each patient gets one."""
OPEN = 20_000
OPEN_WHEN_COUNTED = 5_000
FEWEST = 10_000
IMPORTED = 10_000
LANE = "clinical_triage"
"""The first of the list, so that a console opens on it."""
BUNDLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "fhir" / "synthea-bundles"

Unmeasured = tuple[int, str, str]


def run(bench: Bench, sizes: list[int], wanted: set[int]) -> tuple[list[Figure], list[Unmeasured]]:
    """The figures of the benchmarks `wanted`, and of what could not be measured the reason."""
    figures: list[Figure] = []
    unmeasured: list[Unmeasured] = []

    def keep(figure: Figure) -> None:
        say(f"{figure.number} {figure.work} at {figure.size:,}: {figure.ratio:.2f}")
        figures.append(figure)

    if 10 in wanted:
        keep(helping.figure())
    for size in sizes:
        if 1 in wanted:
            _keys(bench, size, keep)
        if wanted & {8, 9}:
            unmeasured = _console(bench, size, wanted, keep)
    for engine in bench.engines:
        unmeasured += _stores(bench, engine, sizes, wanted, keep)
    if wanted & {6, 7}:
        unmeasured += _fired(bench, min(max(sizes), FIRED), wanted, keep)
    return figures, unmeasured


def _stores(
    bench: Bench, engine: str, sizes: list[int], wanted: set[int], keep: Callable[[Figure], None]
) -> list[Unmeasured]:
    if wanted & {2, 3}:
        _inbox(bench, engine, sizes, wanted, keep)
    if 4 in wanted:
        for size in sizes:
            _people(bench, engine, size, keep)
    return _imports(bench, engine, min(max(sizes), IMPORTED), keep) if 5 in wanted else []


def _keys(bench: Bench, size: int, keep: Callable[[Figure], None]) -> None:
    say(f"a lane of {size:,} open conversations")
    crm = bench.new("sqlcipher")
    filling.patients(crm, 2_000)
    filling.conversations(crm, size, still_open=size, lane=LANE, people=2_000)
    keep(painting.figure(crm, LANE, size))
    bench.drop(crm)


def _console(bench: Bench, size: int, wanted: set[int], keep: Callable[[Figure], None]) -> list[Unmeasured]:
    if not starting.has_console():
        return [(8, "start", "no console here"), (9, "memory", "no console here")]
    crm = _conversations(bench, "sqlcipher", size)
    for figure in starting.figures(crm, size):
        if figure.number in wanted:
            keep(figure)
    bench.drop(crm)
    return []


def _inbox(bench: Bench, engine: str, sizes: list[int], wanted: set[int], keep: Callable[[Figure], None]) -> None:
    small = _conversations(bench, engine, FEWEST) if 3 in wanted else None
    for size in sizes:
        crm = _conversations(bench, engine, size)
        if small is not None and size > FEWEST:
            keep(counting.figure(crm, small, size))
        if 2 in wanted:
            more = min(OPEN, size) - OPEN_WHEN_COUNTED
            filling.conversations(crm, more, still_open=more, people=1_000)
            refresh_statistics(crm)
            keep(taking.figure(crm, size))
        bench.drop(crm)
    if small is not None:
        bench.drop(small)


def _conversations(bench: Bench, engine: str, size: int) -> Crm:
    say(f"{size:,} conversations, {OPEN_WHEN_COUNTED:,} of them open, on {engine}")
    crm = bench.new(engine)
    filling.patients(crm, 1_000)
    filling.conversations(crm, size, still_open=OPEN_WHEN_COUNTED, people=1_000)
    refresh_statistics(crm)
    return crm


def _people(bench: Bench, engine: str, size: int, keep: Callable[[Figure], None]) -> None:
    say(f"{size:,} patients on {engine}")
    crm = bench.new(engine)
    filling.patients(crm, size)
    refresh_statistics(crm)
    keep(searching.figure(crm, size))
    bench.drop(crm)


def _fired(bench: Bench, people: int, wanted: set[int], keep: Callable[[Figure], None]) -> list[Unmeasured]:
    if "postgres" not in bench.engines:
        return [(6, "due reminders fired", "only on Postgres"), (7, "reminders, two pollers", "only on Postgres")]
    embedded = ""
    if 6 in wanted and "sqlcipher" in bench.engines:
        crm = _with_patients(bench, "sqlcipher", people)
        embedded = f"; {firing.alone(crm, people):,.0f}/s on sqlcipher"
        bench.drop(crm)
    for number in sorted(wanted & {6, 7}):
        crm = _with_patients(bench, "postgres", people)
        if number == 6:
            keep(firing.one_poller(crm, people, bench.database("job_queue"), note=embedded))
        else:
            keep(firing.two_pollers(crm, people))
        bench.drop(crm)
    return []


def _with_patients(bench: Bench, engine: str, people: int) -> Crm:
    say(f"{people:,} patients with a reminder each on {engine}")
    crm = bench.new(engine)
    filling.patients(crm, people)
    refresh_statistics(crm)
    return crm


def _imports(bench: Bench, engine: str, size: int, keep: Callable[[Figure], None]) -> list[Unmeasured]:
    def new() -> Crm:
        return bench.new(engine)

    say(f"imports on {engine}")
    keep(importing.figure(new, bench.drop, [importing.bulk_file(bench.folder, size)], "bulk NDJSON"))
    if not BUNDLES.is_dir():
        return [(5, f"FHIR import, real bundles, {engine}", "the real inputs are not here")]
    keep(importing.figure(new, bench.drop, sorted(BUNDLES.glob("*.json")), "real bundles"))
    return []
