"""Planning notices in the tests' clinic, letting their time come, and looking at what became of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.channels.calling.model import Tried
from crm_core.channels.model import Direction, Received
from crm_core.channels.notices.model import About, Asks, NewNotice, NoticeView
from crm_core.channels.notices.queries import notice
from crm_core.channels.notices.service import plan_by_hand, plan_notice
from crm_core.channels.tables import Message, Outbox
from crm_core.inbox.answering.call_list import log_listed_call
from crm_core.library.service import approve
from crm_core.patients.preferences import prefer
from crm_core.tasks.model import TaskItem
from crm_core.tasks.queries import tasks
from crm_core.timers.chore import TimersChore
from crm_core.words import Channel, Purpose
from tests.inbox.conftest import Clinic

DAY = timedelta(days=1)


class House:
    """A clinic whose templates for notices are approved, and its poller."""

    def __init__(self, clinic: Clinic, approver: Actor) -> None:
        self.clinic = clinic
        self.crm = clinic.crm
        for key in ("visit_confirm", "please_call_us"):
            for language in ("en", "es"):
                clinic.do(approver, approve, key, language=language)

    def plan(self, who: str = "Ana", occasion: str = "visit-1", **more: Any) -> int:
        """Plan a notice as a room would: due now, and asking to confirm a visit tomorrow unless told otherwise."""
        at = more.pop("about_at", self.crm.clock.now() + DAY)
        facts: dict[str, Any] = {
            "patient_id": self.clinic.patients[who],
            "occasion": occasion,
            "step": "day_before",
            "purpose": Purpose.REMINDER,
            "template_key": "visit_confirm",
            "due_at": self.crm.clock.now(),
            "source": "test",
            "asks": Asks.CONFIRMATION,
            "about": About(code=occasion, at=at),
            **more,
        }
        with self.crm.write(SYSTEM) as unit:
            number = plan_notice(unit, NewNotice(**facts))
        assert number is not None
        return number

    def plan_by_hand(self, actor: Actor, **more: Any) -> int:
        """Plan one as a person does."""
        facts: dict[str, Any] = {
            "patient_id": self.clinic.patients["Ana"],
            "occasion": "",
            "step": "",
            "purpose": Purpose.NOTICE,
            "template_key": "please_call_us",
            "due_at": self.crm.clock.now(),
            "source": "",
            **more,
        }
        number: int = self.clinic.do(actor, plan_by_hand, NewNotice(**facts))
        return number

    def poll(self, at: datetime | None = None) -> None:
        """Let it be that time, and do all that is due."""
        if at is not None:
            self.clinic.at(at)
        TimersChore(self.crm.units, self.crm.timer_handlers).run(lambda: False)
        self.crm.courier.run_once()

    def see(self, notice_id: int) -> NoticeView:
        """A notice as it is now."""
        found: NoticeView = self.clinic.see(self.clinic.supervisor, notice, notice_id)
        return found

    def sent(self) -> list[str]:
        """Every text of ours that left or is to leave, the first one first."""
        with self.crm.read(SYSTEM) as unit:
            rows = unit.execute(
                select(Message.body)
                .join(Outbox, Outbox.message_id == Message.id)
                .where(Message.direction == Direction.OUT, Outbox.state.in_(["queued", "sent"]))
                .order_by(Message.id)
            )
            return [str(unit.open(row.body)) for row in rows]

    def text(self, body: str, sender: str | None = None) -> Received:
        """A text arrives, and what it sets off leaves."""
        received = self.clinic.text(body, **({"sender": sender} if sender else {}))
        self.crm.courier.run_once()
        return received

    def tasks(self, kind: str) -> list[TaskItem]:
        """The open tasks of that kind."""
        page = self.clinic.see(SYSTEM, tasks, limit=200)
        return [item for item in page.items if item.kind == kind]

    def prefers(self, who: str, *channels: Channel) -> None:
        """Let a patient rank channels."""
        self.clinic.do(SYSTEM, prefer, self.clinic.patients[who], channels)

    def log(self, task_id: int, outcome: str, **more: Any) -> Tried:
        """The agent logs a call of the call list."""
        found: Tried = self.clinic.do(
            self.clinic.agent, log_listed_call, self.crm.gate, task_id, outcome=outcome, **more
        )
        return found


def house_of(clinic: Clinic, staff: Any) -> House:
    """The clinic, with what it sends by itself approved."""
    return House(clinic, staff(Role.APPROVER))
