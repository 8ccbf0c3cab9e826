"""A reason not to contact that only the inbox knows: health detail to a number that several share."""

from __future__ import annotations

from crm_core.channels.gate import Candidate
from crm_core.channels.model import Reason
from crm_core.inbox.routing.conditions import Facts
from crm_core.inbox.routing.deciding import route
from crm_core.inbox.rules import inbox_rules
from crm_core.work.units import ReadUnit

CLINICAL = frozenset({"clinical_advice", "result_question", "refill"})
"""Categories whose texts speak of somebody's health."""


def health_detail(unit: ReadUnit, candidate: Candidate, shared_by: int) -> Reason | None:
    """Judge the text by the routing rules: what they would call clinical is not sent to a shared number."""
    if shared_by < 2:  # noqa: PLR2004 - one person is not sharing
        return None
    rules = inbox_rules(unit)
    decision = route(rules.routing, Facts(text=candidate.text, channel=candidate.channel, sender_known=True))
    clinical = decision.category in CLINICAL
    saw = f"the text speaks of health ({decision.reason})" if clinical else "the text says nothing of health"
    return Reason(check="health detail", passed=not clinical, saw=saw)
