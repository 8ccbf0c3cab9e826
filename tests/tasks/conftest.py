"""The inbox's small clinic, and short ways to add and see tasks in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_core.access.model import SYSTEM, Role
from crm_core.tasks.adding import add_task
from crm_core.tasks.model import NewTask, TaskKind
from tests.inbox.conftest import Clinic, clinic, read_once

__all__ = ["Clinic", "clinic", "read_once"]

Add = Callable[..., int]


@pytest.fixture
def add(clinic: Clinic) -> Add:
    """Adds a task of the system's, for a coordinator unless said otherwise."""

    def add(title: str = "Call Ana back", **more: Any) -> int:
        task = NewTask(**{"kind": TaskKind.CALL_BACK, "title": title, "role": Role.COORDINATOR, **more})
        number: int = clinic.do(SYSTEM, add_task, task)
        return number

    return add
