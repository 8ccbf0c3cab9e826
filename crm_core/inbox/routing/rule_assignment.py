"""Who owns what a rule assigns as it arrives: the person it names, or whom the lane's policy says.

Whoever is away keeps it for the moment: sharing out gives it to their substitute right after.
"""

from __future__ import annotations

from typing import NamedTuple

from crm_core.access.queries import by_login
from crm_core.errors import NotFound
from crm_core.inbox.playbook.section import POLICY
from crm_core.inbox.routing.deciding import Decision
from crm_core.inbox.rules import InboxRules
from crm_core.inbox.sharing.assignment import by_policy
from crm_core.inbox.sharing.colleagues import colleagues, held_by, lock_accounts
from crm_core.work.units import WriteUnit


class Given(NamedTuple):
    """Who has it, None for nobody yet; and why, in words without a patient."""

    owner_id: int | None
    why: str


def given_by_rule(unit: WriteUnit, rules: InboxRules, decision: Decision) -> Given:
    """Whose the conversation is by the rule's `assign`; where that person cannot have it, nobody's, with the reason."""
    if decision.assign is None:
        return Given(None, "no rule assigns it")
    if decision.assign == POLICY:
        chosen = by_policy(unit, rules, decision.lane)
        return Given(chosen.owner_id, chosen.words) if chosen else Given(None, f"{decision.lane} has no policy")
    return _by_login(unit, rules, decision.lane, decision.assign)


def _by_login(unit: WriteUnit, rules: InboxRules, lane: str, login: str) -> Given:
    """The person of that login, if active, working the lane and not full."""
    try:
        number = by_login(unit, login).id
    except NotFound:
        return Given(None, "there is no such account")
    person = colleagues(unit, [number])[number]
    if not person.active:
        return Given(None, "the account is disabled")
    if not person.works(rules, lane):
        return Given(None, f"does not work {lane}")
    lock_accounts(unit, [person])
    held = held_by(unit, [number])[number]
    if person.is_full(held):
        return Given(None, f"{person.name} holds {held} of {person.capacity} open conversations")
    return Given(number, f"{person.name} works {lane}")
