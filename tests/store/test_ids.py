"""Ids in blocks: never the same twice, whoever asks and whatever is rolled back."""

from __future__ import annotations

import multiprocessing

from crm_core.app import Crm
from crm_core.settings import Settings
from tests.store.processes import take_ids

PROCESSES, UNITS, EACH = 3, 40, 3


def test_three_processes_never_get_the_same_id(crm: Crm, settings: Settings) -> None:
    context = multiprocessing.get_context("spawn")
    gate, results = context.Barrier(PROCESSES), context.Queue()
    workers = [context.Process(target=take_ids, args=(settings, UNITS, EACH, gate, results)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    taken = [number for _ in workers for number in results.get(timeout=120)]
    for worker in workers:
        worker.join(timeout=30)
    assert len(taken) == PROCESSES * UNITS * EACH * 4 // 5
    assert len(set(taken)) == len(taken)
