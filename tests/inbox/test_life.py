"""Whatever happens to a conversation, in whatever order: its clocks, its owner, its end and its audit hold."""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.inbox.conftest import Clinic
from tests.inbox.life_machine import Life

LIVES = int(os.environ.get("TORTURE_LIVES", "20"))
STEPS = int(os.environ.get("TORTURE_LIFE_STEPS", "20"))
"""`make torture` plays more and longer ones."""


def test_a_conversations_life_keeps_every_rule_in_whatever_order_things_happen(clinic: Clinic) -> None:
    class OnThisStore(Life):
        pass

    OnThisStore.clinic = clinic
    run_state_machine_as_test(
        OnThisStore, settings=settings(max_examples=LIVES, stateful_step_count=STEPS, deadline=None)
    )
