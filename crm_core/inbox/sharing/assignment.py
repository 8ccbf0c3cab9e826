"""Giving work to people by a lane's policy, and taking it from who is not there.

Everything that decides is counted from the store at that moment: what each holds, what each was
given within the fair share's time, who was given something longest ago. So every process decides
alike, and a restart forgets nothing. Each decision keeps its ordered reasons as a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from crm_core.access.model import Permission
from crm_core.audit.tags import Tag
from crm_core.inbox.model import State, Verb
from crm_core.inbox.playbook.section import AssignBy, AssignPolicy
from crm_core.inbox.rules import PHYSICIAN_LANE, InboxRules, inbox_rules
from crm_core.inbox.sharing.colleagues import Colleague, colleagues, held_by, lock_accounts
from crm_core.inbox.sharing.offers import withdraw_offer
from crm_core.inbox.steps import write_step
from crm_core.inbox.tables import Alarm, Conversation, Step
from crm_core.store.feed import Topic
from crm_core.work.units import WriteUnit

SUBSTITUTE = "substitute"
NOBODY_FREE = "nobody_free"
OWNER_GONE = "owner_gone"
"""The coded reasons of a step beside the two kinds of policy."""

_AUTOMATIC = (Step.verb == Verb.ASSIGNED, Step.actor_id == 0)
_SHARED_OUT = (State.NEW, State.OPEN)
_NEVER = (datetime(1, 1, 1, tzinfo=UTC), 0)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Whose it is to be, None for nobody's; by which coded reason, and why in words, without a patient."""

    owner_id: int | None
    reason: str
    words: str


@dataclass(frozen=True, kw_only=True)
class _Figures:
    """What is counted of one person; `last` is when something was last given to them, with the step's id."""

    held: int
    given: int
    last: tuple[datetime, int]


def share_out(unit: WriteUnit, conversation_id: int) -> None:
    """See to it that a conversation that has just come, or come back, into a lane has an owner who is there.

    Part of what brought it: it is locked, and that it changed hands is one with that. An owner who is
    away or gone gives it to the substitute; what is nobody's goes by the lane's policy, and stays
    in the lane where there is none, or where all are away or full. Never what holds an
    unacknowledged danger or could not be screened, and never a question to a physician.
    """
    row = dict(unit.execute(select(Conversation.__table__).where(Conversation.id == conversation_id)).mappings().one())
    if row["danger"] or row["unscreened"] or row["lane"] == PHYSICIAN_LANE or row["state"] not in _SHARED_OUT:
        return
    rules = inbox_rules(unit)
    chosen = _new_owner(unit, rules, row)
    if chosen is not None:
        _give(unit, row, chosen)


def share_out_of_the_absent(unit: WriteUnit, owners: Mapping[int, int | None]) -> None:
    """Of conversations that came back at their time, by their owners: what is nobody's at that desk finds another."""
    known = {owner for owner in owners.values() if owner is not None}
    if not known:
        return
    found = colleagues(unit, known).values()
    away = {one.id for one in found if not one.active or one.absent_until is not None}
    for conversation_id, owner in owners.items():
        if owner in away:
            share_out(unit, conversation_id)


def by_policy(unit: WriteUnit, rules: InboxRules, lane: str, *, clinicians: bool = False) -> Chosen | None:
    """Whom the lane's policy gives its next conversation; None where it has none.

    The accounts of those in question are locked until the unit ends, so that two who choose at
    once see each other's choice. `clinicians` leaves out everyone else.
    """
    found = rules.lanes.lane.get(lane)
    policy = found.assign if found is not None else None
    if found is None or policy is None:
        return None
    said: list[str] = []
    fit = _who_is_there(colleagues(unit), rules, lane, said, clinicians=clinicians)
    figures = _figures(unit, policy, fit)
    free = [one for one in fit if _has_room(policy, one, figures[one.id], said)]
    title = f"{policy.by.value.replace('_', ' ')} in {found.title}"
    if not free:
        return Chosen(owner_id=None, reason=NOBODY_FREE, words="; ".join([f"{title}: nobody is free", *said]))
    first = min(free, key=lambda one: _turn(policy, one, figures[one.id]))
    words = f"{title}: {first.name}, {_said_of(policy, first, figures[first.id])}"
    return Chosen(owner_id=first.id, reason=policy.by.value, words="; ".join([words, *said]))


def _new_owner(unit: WriteUnit, rules: InboxRules, row: Mapping[str, Any]) -> Chosen | None:
    """Whose it is to be now; None to leave it as it is. What has ever alarmed is given to clinicians alone."""
    clinicians = unit.scalar(select(Alarm.id).where(Alarm.conversation_id == row["id"]).limit(1)) is not None
    if row["owner_id"] is None:
        return by_policy(unit, rules, row["lane"], clinicians=clinicians)
    owner = colleagues(unit, [row["owner_id"]])[row["owner_id"]]
    if owner.active and owner.absent_until is None:
        return None
    stands_in = _stands_in(unit, rules, row["lane"], owner, clinicians=clinicians)
    if stands_in is not None:
        return stands_in
    gone = f"{owner.name} {_away(owner)}, and nobody stands in"
    chosen = by_policy(unit, rules, row["lane"], clinicians=clinicians)
    if chosen is None:
        return Chosen(owner_id=None, reason=OWNER_GONE, words=gone)
    return replace(chosen, words=f"{gone}; {chosen.words}")


def _stands_in(unit: WriteUnit, rules: InboxRules, lane: str, owner: Colleague, *, clinicians: bool) -> Chosen | None:
    """The substitute of who is away, or the substitute's own, who works the lane and is not full."""
    everyone = colleagues(unit)
    for one in _substitutes(everyone, owner):
        if _takes_part(one, rules, lane, clinicians=clinicians):
            lock_accounts(unit, [one])
            if not one.is_full(held_by(unit, [one.id])[one.id]):
                words = f"{owner.name} {_away(owner)}; {one.name} stands in"
                return Chosen(owner_id=one.id, reason=SUBSTITUTE, words=words)
    return None


def _who_is_there(
    everyone: Mapping[int, Colleague], rules: InboxRules, lane: str, said: list[str], *, clinicians: bool
) -> list[Colleague]:
    """Who works the lane and is there, with whoever stands in for the absent, by id."""
    there: dict[int, Colleague] = {}
    for one in everyone.values():
        if not one.active or not one.works(rules, lane) or (clinicians and not one.actor.may(Permission.DANGER_ACT)):
            continue
        if one.absent_until is None:
            there[one.id] = one
            continue
        instead = [two for two in _substitutes(everyone, one) if _takes_part(two, rules, lane, clinicians=clinicians)]
        there |= {two.id: two for two in instead[:1]}
        said.append(f"not {one.name}: {_away(one)}" + "".join(f", {two.name} stands in" for two in instead[:1]))
    return [there[number] for number in sorted(there)]


def _takes_part(one: Colleague, rules: InboxRules, lane: str, *, clinicians: bool) -> bool:
    return (
        one.active
        and one.absent_until is None
        and one.works(rules, lane)
        and (not clinicians or one.actor.may(Permission.DANGER_ACT))
    )


def _substitutes(everyone: Mapping[int, Colleague], one: Colleague) -> Iterable[Colleague]:
    """Who stands in for a person who is away, then who stands in for that one, each once."""
    seen = {one.id}
    following: Colleague | None = one
    while following is not None and following.absent_until is not None:
        following = everyone.get(following.substitute_id or 0)
        if following is None or following.id in seen:
            return
        seen.add(following.id)
        yield following


def _figures(unit: WriteUnit, policy: AssignPolicy, people: list[Colleague]) -> dict[int, _Figures]:
    """What is counted of these people, once nobody else can give them anything."""
    lock_accounts(unit, people)
    numbers = [one.id for one in people]
    held = held_by(unit, numbers)
    given = _given_since(unit, numbers, unit.now - policy.fair_share.within) if policy.fair_share else {}
    return {
        number: _Figures(held=held[number], given=given.get(number, 0), last=_last_given(unit, number))
        for number in numbers
    }


def _given_since(unit: WriteUnit, numbers: list[int], since: datetime) -> dict[int, int]:
    counted = unit.execute(
        select(Step.to_owner, func.count().label("given"))
        .where(*_AUTOMATIC, Step.to_owner.in_(numbers), Step.at > since)
        .group_by(Step.to_owner)
    )
    return {row.to_owner: row.given for row in counted}


def _last_given(unit: WriteUnit, number: int) -> tuple[datetime, int]:
    """When this person was last given something by itself; the index is read from its end."""
    newest = (
        select(Step.at, Step.id)
        .where(*_AUTOMATIC, Step.to_owner == number)
        .order_by(Step.at.desc(), Step.id.desc())
        .limit(1)
    )
    row = unit.execute(newest).one_or_none()
    return _NEVER if row is None else (row.at, row.id)


def _has_room(policy: AssignPolicy, one: Colleague, figures: _Figures, said: list[str]) -> bool:
    """Whether one more may be given to this person; says why not."""
    if one.is_full(figures.held):
        said.append(f"not {one.name}: full, holds {figures.held} of {one.capacity}")
        return False
    share = policy.fair_share
    if share is not None and figures.given >= share.most:
        said.append(f"not {one.name}: was given {figures.given} of at most {share.most} in {_span(share.within)}")
        return False
    return True


def _turn(policy: AssignPolicy, one: Colleague, figures: _Figures) -> tuple[Any, ...]:
    """The order in which people are asked."""
    if policy.by is AssignBy.LEAST_LOADED:
        return (figures.held, figures.last, one.id)
    return (figures.last, one.id)


def _said_of(policy: AssignPolicy, one: Colleague, figures: _Figures) -> str:
    holds = f"holds {figures.held}" + (f" of {one.capacity}" if one.capacity is not None else "")
    if policy.by is AssignBy.LEAST_LOADED:
        return holds
    last = "never before" if figures.last == _NEVER else f"last at {figures.last[0]:%Y-%m-%d %H:%M}Z"
    return f"given one {last}, {holds}"


def _away(one: Colleague) -> str:
    return f"is absent until {one.absent_until:%Y-%m-%d %H:%M}Z" if one.absent_until else "has no active account"


def _span(within: timedelta) -> str:
    hours, minutes = divmod(int(within.total_seconds()) // 60, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")


def _give(unit: WriteUnit, row: Mapping[str, Any], chosen: Chosen) -> None:
    """Set the owner and write the step, by the system, whoever set it off.

    The version stays: it is one act with what brought the conversation here, and one undo.
    """
    unit.execute(
        update(Conversation).where(Conversation.id == row["id"]).values(owner_id=chosen.owner_id, taken_at=None)
    )
    if row["owner_id"] is not None:
        withdraw_offer(unit, row["id"])
    write_step(unit, row, Verb.ASSIGNED, actor_id=0, to_owner=chosen.owner_id, reason=chosen.reason, words=chosen.words)
    unit.audit(Tag.CONVERSATION_ASSIGNED, row["id"], why=chosen.reason)
    unit.changed(Topic.INBOX)
