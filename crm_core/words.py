"""Words that several rooms share; a word used in one room lives in that room."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """The way a message travels."""

    SMS = "sms"
    EMAIL = "email"
    WHATSAPP = "whatsapp"
    VOICE = "voice"
    PORTAL = "portal"
    WEBFORM = "webform"
    CHAT = "chat"
    SOCIAL = "social"


class Priority(StrEnum):
    """How urgent a need is, as staff say it; `rank` 0 is the most urgent."""

    STAT = "stat"
    ASAP = "asap"
    URGENT = "urgent"
    ROUTINE = "routine"

    @property
    def rank(self) -> int:
        """0 (stat) to 3 (routine): the number that is stored and sorted."""
        return list(Priority).index(self)

    @classmethod
    def of_rank(cls, rank: int) -> Priority:
        """The priority stored as `rank`; IndexError outside 0..3."""
        return list(cls)[rank]


class Purpose(StrEnum):
    """Why a message is sent: what consent and the contact gate ask about."""

    ANSWER = "answer"
    CARE = "care"
    REMINDER = "reminder"
    NOTICE = "notice"
    OUTREACH = "outreach"
