"""When, how often and about what the clinic may write to somebody: contact.toml of a playbook."""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from crm_core.playbook.loader import Section, Strict
from crm_core.words import Channel, Purpose

EARLIEST, LATEST = time(8), time(21)
"""The widest hours for automated texts, in the patient's zone (47 CFR 64.1200 (c)(1))."""


class Needs(StrEnum):
    """What consent a purpose asks for."""

    NO_OBJECTION = "no_objection"
    GRANT = "grant"


class OnHealth(StrEnum):
    """What is done about health detail on an unprotected channel."""

    REFUSE = "refuse"
    WARN = "warn"


class Hours(Strict):
    """From when until when automation may write, on the patient's clock; `closes` itself is too late."""

    opens: time = EARLIEST
    closes: time = time(20)

    @model_validator(mode="after")
    def _within_the_widest(self) -> Self:
        if not EARLIEST <= self.opens < self.closes <= LATEST or self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError("must lie between 08:00 and 21:00, and open before it closes")
        if any(edge.second or edge.microsecond for edge in (self.opens, self.closes)):
            raise ValueError("must be whole minutes")
        return self


class Cap(Strict):
    """How many automatic messages a patient gets at most: on one local day, and in any seven days of 24 hours."""

    a_day: Annotated[int, Field(ge=1, le=1)] = 1
    in_seven_days: Annotated[int, Field(ge=1, le=3)] = 3


class Wait(Strict):
    """For how long after the patient's own text automation is silent."""

    minutes_after_a_text: Annotated[int, Field(ge=10, le=24 * 60)] = 10


class Purposes(Strict):
    """What each purpose of a message needs."""

    answer: Needs = Needs.NO_OBJECTION
    care: Needs = Needs.NO_OBJECTION
    reminder: Needs = Needs.NO_OBJECTION
    notice: Needs = Needs.NO_OBJECTION
    outreach: Needs = Needs.GRANT

    def needs(self, purpose: Purpose) -> Needs:
        """What that purpose needs."""
        found: Needs = getattr(self, purpose.value)
        return found


class HealthDetail(Strict):
    """The channels that others may read, and what is done about health detail there.

    To a number that several share it is refused whatever stands here.
    """

    unprotected: tuple[Channel, ...] = (Channel.SMS, Channel.EMAIL)
    automatic: OnHealth = OnHealth.REFUSE
    staff: OnHealth = OnHealth.WARN


class Calls(Strict):
    """How often a patient is called for one thing before that is given up."""

    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3


class ContactSection(Strict):
    """contact.toml. A playbook without that file has these values, as the one that ships."""

    hours: Hours = Hours()
    cap: Cap = Cap()
    wait: Wait = Wait()
    purpose: Purposes = Purposes()
    health_detail: HealthDetail = HealthDetail()
    calls: Calls = Calls()


SECTION = Section(name="contact", model=ContactSection, files=("contact.toml",), required=False)
