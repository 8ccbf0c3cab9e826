"""Two rules beside each other: whether they exclude each other, whether one takes what the other would."""

from __future__ import annotations

from crm_core.inbox.playbook.section import Rule
from crm_core.inbox.routing.conditions import ChoiceOp, Condition, NumberOp, TextOp


def contradiction(rule: Rule) -> str | None:
    """Two conditions of `all` that exclude each other, as a sentence; None where none is seen."""
    for index, one in enumerate(rule.all):
        for other in rule.all[index + 1 :]:
            if exclude(one, other) or exclude(other, one):
                return f"its conditions on {one.field} exclude each other"
    return None


def exclude(one: Condition, other: Condition) -> bool:
    """Whether `one` and `other` cannot both pass; a False may be unseen."""
    if one.field != other.field:
        return False
    excluded = False
    match one.op, other.op:
        case TextOp.CONTAINS_ANY, TextOp.CONTAINS_NONE:
            excluded = _members(one) <= _members(other)
        case TextOp.CONTAINS_ALL, TextOp.CONTAINS_NONE:
            excluded = bool(_members(one) & _members(other))
        case ChoiceOp.IS_ANY, ChoiceOp.IS_ANY:
            excluded = not _members(one) & _members(other)
        case ChoiceOp.IS_ANY, ChoiceOp.IS_NONE:
            excluded = _members(one) <= _members(other)
        case NumberOp.AT_LEAST, NumberOp.AT_MOST:
            excluded = _number(one) > _number(other)
        case "is", "is":
            excluded = one.value != other.value
    return excluded


def forestalls(earlier: Rule, later: Rule) -> bool:
    """Whether whatever `later` takes, `earlier` has taken; a False may be unseen."""
    if any(not any(_implies(given, wanted) for given in later.all) for wanted in earlier.all):
        return False
    if not earlier.any:
        return True
    given = [*later.all]
    if any(_implies(one, wanted) for one in given for wanted in earlier.any):
        return True
    return bool(later.any) and all(any(_implies(one, wanted) for wanted in earlier.any) for one in later.any)


def _implies(given: Condition, wanted: Condition) -> bool:
    """Whether `wanted` passes wherever `given` does; a False may be unseen."""
    if given == wanted:
        return True
    if given.field != wanted.field or given.op != wanted.op:
        return False
    implied = False
    match given.op:
        case TextOp.CONTAINS_ANY | ChoiceOp.IS_ANY:
            implied = _members(given) <= _members(wanted)
        case TextOp.CONTAINS_ALL | TextOp.CONTAINS_NONE | ChoiceOp.IS_NONE:
            implied = _members(given) >= _members(wanted)
        case NumberOp.AT_LEAST:
            implied = _number(given) >= _number(wanted)
        case NumberOp.AT_MOST:
            implied = _number(given) <= _number(wanted)
    return implied


def _members(condition: Condition) -> frozenset[object]:
    return frozenset(condition.value) if isinstance(condition.value, tuple) else frozenset()


def _number(condition: Condition) -> int:
    return condition.value if isinstance(condition.value, int) else 0
