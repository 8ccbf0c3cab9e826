"""`python -m tests.bench [--size small|full] [--only N,…] [--json FILE]`: measure, print the table, write JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench.figures import Figure, say, table
from tests.bench.runs import NUMBERS, SIZES, run
from tests.bench.stores import ENGINES, bench

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run what was asked for; 0 where every target measured was met, 1 otherwise."""
    options = _options()
    wanted = {int(number) for number in options.only.split(",")} if options.only else set(NUMBERS)
    sizes = [int(options.records)] if options.records else SIZES[options.size]
    os.umask(0o077)
    with bench(tuple(options.on.split(","))) as made:
        figures, unmeasured = run(made, sizes, wanted)
    sys.stdout.write(table(figures, sorted(unmeasured)) + "\n")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(_document(figures, sizes), indent=2) + "\n", encoding="utf-8")
    say(f"written to {options.json}")
    return 0 if all(figure.met for figure in figures) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--size", choices=sorted(SIZES), default="full")
    parser.add_argument("--records", help="this many records instead of the size's")
    parser.add_argument("--only", metavar="N,…", help="these benchmarks alone, by number")
    parser.add_argument("--on", metavar="STORE,…", default=",".join(ENGINES), help="these stores alone")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json")
    return parser.parse_args()


def _document(figures: list[Figure], sizes: list[int]) -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": {"system": platform.platform(), "cores": os.cpu_count(), "load": os.getloadavg()[0]},
        "versions": {name: version(name) for name in ("textual", "sqlalchemy", "sqlcipher3", "psycopg", "typer")},
        "sizes": sizes,
        "figures": [figure.as_json() for figure in figures],
    }


if __name__ == "__main__":
    sys.exit(main())
