"""Who owns what a rule assigns as it arrives: the person it names, or whom the lane's policy says."""

from __future__ import annotations

from typing import NamedTuple

from crm_core.access.queries import by_login
from crm_core.errors import NotFound
from crm_core.inbox.routing import Decision
from crm_core.inbox.rules import InboxRules
from crm_core.inbox.section import POLICY
from crm_core.work.units import ReadUnit


class Given(NamedTuple):
    """Who has it, None for nobody yet; and why, in words without a patient."""

    owner_id: int | None
    why: str


def given_by_rule(unit: ReadUnit, rules: InboxRules, decision: Decision) -> Given:
    """Whose the conversation is by the rule's `assign`; where that person cannot have it, nobody's, with the reason."""
    if decision.assign is None:
        return Given(None, "no rule assigns it")
    if decision.assign == POLICY:
        return _by_policy(unit, rules, decision.lane)
    return _by_login(unit, rules, decision.lane, decision.assign)


def _by_login(unit: ReadUnit, rules: InboxRules, lane: str, login: str) -> Given:
    """The person of that login, if active and working the lane."""
    try:
        account = by_login(unit, login)
    except NotFound:
        return Given(None, "there is no such account")
    if not account.active:
        return Given(None, "the account is disabled")
    if lane not in rules.visible(account.as_actor()):
        return Given(None, f"does not work {lane}")
    return Given(account.id, f"{account.name} works {lane}")


def _by_policy(unit: ReadUnit, rules: InboxRules, lane: str) -> Given:  # noqa: ARG001 - what a policy needs
    """Nobody yet: no lane has a policy of its own."""
    return Given(None, f"{lane} has no policy")
