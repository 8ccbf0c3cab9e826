"""A reason not to contact that only the inbox knows: health detail where others than the patient may read it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from crm_core.channels.contact_section import OnHealth
from crm_core.channels.gate import Asked, Candidate
from crm_core.channels.model import Reason
from crm_core.inbox.routing.conditions import Facts
from crm_core.inbox.routing.deciding import Rules, route
from crm_core.inbox.rules import inbox_rules
from crm_core.words import Channel
from crm_core.work.units import ReadUnit

CLINICAL = frozenset({"clinical_advice", "result_question", "refill"})
"""Categories whose texts speak of somebody's health."""

_CHECK = "health detail"
_SOMEBODY = "friend"
_KEPT = 2_048
"""Texts whose category is remembered: a day's reminders differ by their times alone."""


class HealthDetail:
    """Judges each text by the routing rules: what they would call clinical does not go where others may read it.

    That is a number that several share, whoever writes, and a channel that contact.toml calls
    unprotected, as it says there, unless the patient chose to have it so. An answer to the
    patient's own text goes: the patient spoke of it there first.

    What the rules said of a text is kept, since a template says the same to many but for their
    names: at the same rules the same words are never read twice.
    """

    def __init__(self) -> None:
        self._category = lru_cache(_KEPT)(_category)

    def __call__(self, unit: ReadUnit, asked: Sequence[Asked]) -> list[Reason | None]:
        """The reasons in the order asked; one statement at most."""
        rules = inbox_rules(unit).routing
        return [self._judged(rules, each) for each in asked]

    def _judged(self, rules: Rules, each: Asked) -> Reason | None:
        candidate, known = each.candidate, each.known
        shared = known.shared_by > 1
        policy = known.rules.health_detail
        if candidate.answers or not (shared or candidate.channel in policy.unprotected):
            return None
        if known.plain_content and not shared:
            return Reason(check=_CHECK, passed=True, saw=f"the patient chose to have details by {candidate.channel}")
        category, reason = self._category(rules, candidate.channel, _but_for_the_name(candidate))
        if category not in CLINICAL:
            return Reason(check=_CHECK, passed=True, saw="the text says nothing of health")
        saw = f"the text speaks of health ({reason})"
        if shared:
            return Reason(check=_CHECK, passed=False, saw=saw)
        on = policy.automatic if candidate.automatic else policy.staff
        if on is OnHealth.REFUSE:
            return Reason(check=_CHECK, passed=False, saw=f"{saw}, and others may read {candidate.channel}")
        return Reason(check=_CHECK, passed=True, saw=f"WARNING: {saw}, and others may read {candidate.channel}")


def _category(rules: Rules, channel: Channel, text: str) -> tuple[str, str]:
    """What the rules would call such a text, and by which rule."""
    decision = route(rules, Facts(text=text, channel=channel, sender_known=True))
    return decision.category, decision.reason


def _but_for_the_name(candidate: Candidate) -> str:
    """The text, where it first says the patient's first name with another word in its place: no name is an illness.

    Once only: "Hi Rash, your rash" still speaks of one.
    """
    text, name = candidate.text, candidate.first_name
    at = text.find(name) if name else -1
    if name is None or at < 0:
        return text
    before, after = text[:at], text[at + len(name) :]
    inside = before[-1:].isalnum() or after[:1].isalnum()
    return text if inside else before + _SOMEBODY + after
