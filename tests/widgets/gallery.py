"""Widgets on a stage, to look at and to test: `python -m tests.widgets.gallery NAME`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace

from crm_tui.safe_app import SafeApp
from tests.widgets.stages import CrashStage, HostileStage, QueueStage, made_row
from tests.widgets.work_stage import HostileWorkStage, LockStage, WorkStage

STAGES: dict[str, Callable[[], SafeApp[None]]] = {
    "queue": QueueStage,
    "hostile": HostileStage,
    "crash": CrashStage,
    "million": lambda: QueueStage(1_000_000, lambda index: replace(made_row(index), badge="")),
    "work": lambda: WorkStage(monotonic=time.monotonic),
    "hostile-work": HostileWorkStage,
    "lock": LockStage,
}


if __name__ == "__main__":
    app = STAGES[sys.argv[1]]()
    app.run()
    sys.exit(app.return_code)
