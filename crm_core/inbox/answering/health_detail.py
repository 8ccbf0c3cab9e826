"""A reason not to contact that only the inbox knows: health detail where others than the patient may read it."""

from __future__ import annotations

from collections.abc import Sequence

from crm_core.channels.contact_section import OnHealth
from crm_core.channels.gate import Asked
from crm_core.channels.model import Reason
from crm_core.inbox.routing.conditions import Facts
from crm_core.inbox.routing.deciding import Rules, route
from crm_core.inbox.rules import inbox_rules
from crm_core.work.units import ReadUnit

CLINICAL = frozenset({"clinical_advice", "result_question", "refill"})
"""Categories whose texts speak of somebody's health."""

_CHECK = "health detail"


def health_detail(unit: ReadUnit, asked: Sequence[Asked]) -> list[Reason | None]:
    """Judge each text by the routing rules: what they would call clinical does not go where others may read it.

    That is a number that several share, whoever writes, and a channel that contact.toml calls
    unprotected, as it says there, unless the patient chose to have it so. An answer to the
    patient's own text goes: the patient spoke of it there first.
    """
    rules = inbox_rules(unit)
    return [_judged(rules.routing, each) for each in asked]


def _judged(rules: Rules, each: Asked) -> Reason | None:
    candidate, known = each.candidate, each.known
    shared = known.shared_by > 1
    policy = known.rules.health_detail
    if candidate.answers or not (shared or candidate.channel in policy.unprotected):
        return None
    if known.plain_content and not shared:
        return Reason(check=_CHECK, passed=True, saw=f"the patient chose to have details by {candidate.channel}")
    decision = route(rules, Facts(text=candidate.text, channel=candidate.channel, sender_known=True))
    if decision.category not in CLINICAL:
        return Reason(check=_CHECK, passed=True, saw="the text says nothing of health")
    saw = f"the text speaks of health ({decision.reason})"
    if shared:
        return Reason(check=_CHECK, passed=False, saw=saw)
    on = policy.automatic if candidate.automatic else policy.staff
    if on is OnHealth.REFUSE:
        return Reason(check=_CHECK, passed=False, saw=f"{saw}, and others may read {candidate.channel}")
    return Reason(check=_CHECK, passed=True, saw=f"WARNING: {saw}, and others may read {candidate.channel}")
