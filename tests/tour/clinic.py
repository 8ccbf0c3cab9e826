"""The tour's clinic: a few invented people, and what they wrote on a Monday morning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.access.passwords import hash_password
from crm_core.access.queries import by_login
from crm_core.access.service import create_staff
from crm_core.app import found, open_crm
from crm_core.channels.inbound import receive
from crm_core.channels.model import Inbound
from crm_core.clock import Clock, ShiftedClock
from crm_core.inbox.queries import queue
from crm_core.library.queries import templates
from crm_core.library.service import approve
from crm_core.patients.model import ContactKind, ContactUse, DraftContact, DraftIdentifier, PatientDraft
from crm_core.patients.saving import save_many
from crm_core.words import Channel
from tests.conftest import MASTER, MONDAY, settings_in

PASSWORD = "a garden after rain"

ANA, BO, CLEO, ELI, FAY, GUS = (f"+1 212 555 01{number:02}" for number in range(1, 7))
HAZEL = "hazel.quinn@example.org"
STRANGER = "+1 212 555 0199"

STAFF: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("kim", "Kim Reyes", (Role.AGENT,)),
    ("lou", "Lou Barnes", (Role.AGENT,)),
    ("nora", "Nora Diaz", (Role.NURSE,)),
    ("omar", "Omar Haddad", (Role.PHYSICIAN,)),
    ("sam", "Sam Okoro", (Role.SUPERVISOR,)),
    ("ada", "Ada Lind", (Role.APPROVER, Role.AGENT)),
    ("ben", "Ben Frost", (Role.APPROVER,)),
)
PEOPLE = (
    ("Ana", "Lopez", "1970-01-31", "en", ANA, ""),
    ("Bo", "Iversen", "1984-07-09", "en", BO, ""),
    ("Cleo", "Marsh", "1991-11-02", "en", CLEO, ""),
    ("Dana", "Marsh", "2016-03-15", "en", CLEO, ""),
    ("Eli", "Ward", "1958-05-20", "en", ELI, ""),
    ("Fay", "Nolan", "1949-12-01", "en", FAY, ""),
    ("Gus", "Petrov", "1977-08-18", "es", GUS, ""),
    ("Hazel", "Quinn", "1965-02-27", "en", "", HAZEL),
)
TEXTS = (
    (55, FAY, "I want to complain: I waited two hours on Friday and nobody said a word."),
    (50, HAZEL, "Please send me a copy of my records from this year."),
    (40, ELI, "What does my bill of 40 dollars stand for?"),
    (30, ANA, "Can I get a refill of my metformin? I have two pills left."),
    (25, GUS, "I need an appointment next week, mornings are best."),
    (20, CLEO, "Can you move my appointment on Thursday to Friday?"),
    (10, BO, "Could I get my lisinopril refilled before Wednesday?"),
    (5, STRANGER, "Hello, it is about my mother's appointment."),
)
"""Minutes before the tour begins, sender, text."""


class TourClinic:
    """The clinic's store, opened beside the console: what colleagues and patients do meanwhile."""

    def __init__(self, home: Path, clock: Clock) -> None:
        self.crm = open_crm(settings_in(home), master=MASTER, clock=clock)
        self._texts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.crm.close()

    def text(self, sender: str, body: str, *, at: datetime | None = None, **more: Any) -> int:
        """A text or letter arrives now, or at `at`; returns its conversation."""
        self._texts += 1
        at = at or self.crm.clock.now()
        facts: dict[str, Any] = {"channel": Channel.EMAIL if "@" in sender else Channel.SMS, "sender": sender, **more}
        inbound = Inbound(text=body, at=at, provider_id=f"{at:%H%M%S}-{self._texts}", **facts)
        with self.crm.write(SYSTEM) as unit:
            number = receive(unit, self.crm.receiver, inbound).conversation_id
        assert number is not None
        return number

    def do(self, login: str, function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """Somebody does something, in a unit of their own."""
        with self.crm.write(self.actor(login)) as unit:
            return function(unit, *args, **more)

    def see(self, login: str, function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """Somebody looks at something, in a unit of their own."""
        with self.crm.read(self.actor(login)) as unit:
            return function(unit, *args, **more)

    def all_in(self, lane: str) -> list[int]:
        """The conversations of a lane in working order."""
        return [item.conversation_id for item in self.see("sam", queue, lane).items]

    def last_in(self, lane: str) -> int:
        """The last conversation of a lane."""
        return self.all_in(lane)[-1]

    def first_in(self, *lanes: str) -> int:
        """The first conversation of the first of these lanes that holds one."""
        return next(number for lane in lanes for number in self.all_in(lane))

    def actor(self, login: str) -> Actor:
        """Someone of the staff."""
        with self.crm.read(SYSTEM) as unit:
            number = by_login(unit, login).id
        name, roles = next((name, roles) for one, name, roles in STAFF if one == login)
        return Actor.with_roles(number, name, frozenset(roles), None)


def make_clinic(home: Path) -> None:
    """The store as each scene finds it; the same in every run."""
    clock = ShiftedClock(MONDAY - timedelta(hours=1))
    with found(settings_in(home), MASTER, clock) as crm:
        for login, name, roles in STAFF:
            secret = hash_password(PASSWORD) if login == "lou" else None
            with crm.write(SYSTEM) as unit:
                create_staff(unit, login=login, name=name, roles=roles, os_user=login, password_hash=secret)
        with crm.read(SYSTEM) as reading:
            approver = by_login(reading, "ben").id
        with crm.write(Actor.with_roles(approver, "Ben Frost", frozenset({Role.APPROVER}), None)) as unit:
            for template in templates(unit):
                approve(unit, template.key, language=template.language)
        with crm.write(SYSTEM) as unit:
            save_many(unit, [_draft(number, one) for number, one in enumerate(PEOPLE, start=1001)])
    with TourClinic(home, clock) as clinic:
        for before, sender, text in TEXTS:
            clock.set(MONDAY - timedelta(minutes=before))
            clinic.text(sender, text)


def _draft(mrn: int, person: tuple[str, str, str, str, str, str]) -> PatientDraft:
    given, family, born, language, phone, email = person
    contacts = [DraftContact(kind=ContactKind.PHONE, value=phone, use=ContactUse.MOBILE)] if phone else []
    contacts += [DraftContact(kind=ContactKind.EMAIL, value=email, use=ContactUse.HOME)] if email else []
    return PatientDraft(
        given=given,
        family=family,
        birth_date=born,
        language=language,
        identifiers=(DraftIdentifier(system="urn:clinic", value=str(mrn), kind="MR"),),
        contacts=tuple(contacts),
    )
