"""Words that two rules fight over, and rules that an earlier one takes a part of.

Both are legal: the first rule that matches wins. They are cautions because the one who wrote the
later rule seldom meant it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from crm_core.inbox.playbook.rule_comparison import exclude, forestalls
from crm_core.inbox.playbook.section import CategoriesSection, RoutingSection, Rule, WordList, WordsSection
from crm_core.inbox.playbook.section_checks import ROUTING_FILE
from crm_core.inbox.routing.conditions import LIST_MARK, ChoiceOp, Condition, Facts, Message, TextCondition, TextOp
from crm_core.inbox.routing.phrases import GAP, Lexicon, Listed, forms_of, words_of
from crm_core.playbook.loader import Playbook
from crm_core.playbook.problems import Caution, Problem
from crm_core.words import Channel

_NAMED = 5
"""Words named of one pair of rules; of the rest their number."""


def check_overlaps(playbook: Playbook) -> Iterator[Problem]:
    """A word in lists of two rules that lead to different lanes, each of which a text of that word alone matches."""
    lists = playbook.section(WordsSection).list
    categories = playbook.section(CategoriesSection).category
    rules = list(playbook.section(RoutingSection).rule.values())
    named = {name for rule in rules for name in _asked(rule)} | {n for each in lists.values() for n in each.include}
    if not named <= set(lists) or any(rule.category not in categories for rule in rules):
        return
    lanes = {rule.key: rule.lane or categories[rule.category].lane for rule in rules}
    shared: dict[tuple[str, str], list[str]] = {}
    for entry, message, holders in _entries(rules, lists):
        matching = [rule for rule in holders if _takes(rule, message)]
        for index, later in enumerate(matching):
            for earlier in matching[:index]:
                if lanes[earlier.key] != lanes[later.key] and not _apart(earlier, later):
                    shared.setdefault((earlier.key, later.key), []).append(entry)
    for (first, second), words in shared.items():
        said = (
            f"shares {_several(words)} with {first}, which is tried before it and leads to {lanes[first]}; "
            f"let one exclude the other's words, or name {first} under yields_to"
        )
        yield Caution(file=ROUTING_FILE, key=f"rule.{second}", message=said)


def check_shadows(playbook: Playbook) -> Iterator[Problem]:
    """Rules of which a part never decides; whom a rule yields to is tried before it."""
    rules = list(playbook.section(RoutingSection).rule.values())
    for index, rule in enumerate(rules):
        before = {earlier.key for earlier in rules[:index]}
        for place, name in enumerate(rule.yields_to):
            if name not in before:
                message = f"no rule {name!r} is tried before this one"
                yield Problem(file=ROUTING_FILE, key=f"rule.{rule.key}.yields_to[{place}]", message=message)
        if any(forestalls(earlier, rule) for earlier in rules[:index]):
            continue
        for earlier in rules[:index]:
            taken = [name for name, part in _parts(rule) if forestalls(earlier, part)]
            if taken:
                message = f"{_several(taken)} in it never decides: {earlier.key} is tried before it and takes that"
                yield Caution(file=ROUTING_FILE, key=f"rule.{rule.key}", message=message)


def _entries(rules: Sequence[Rule], lists: Mapping[str, WordList]) -> Iterator[tuple[str, Message, list[Rule]]]:
    """Each word or phrase that two rules look for, as a text of its own, with those rules in their order."""
    compiled = {key: listed.listed() for key, listed in lists.items()}
    texts: dict[str, str] = {}
    holders: dict[str, dict[str, Rule]] = {}
    for rule in rules:
        looked_for: dict[str, None] = {}
        for condition in (*rule.all, *rule.any):
            if isinstance(condition, TextCondition):
                compiled.update(condition.own_lists)
                if condition.op is not TextOp.CONTAINS_NONE:
                    looked_for.update(dict.fromkeys(_words(condition.value, compiled)))
        for entry in looked_for:
            if "*" not in entry:
                texts[entry] = " ".join(part.split("|")[0] for part in entry.split() if part != GAP)
                holders.setdefault(_stem(texts[entry]), {})[rule.key] = rule
    lexicon = Lexicon(compiled)
    for entry, text in texts.items():
        held_by = [*holders[_stem(text)].values()]
        if len(held_by) > 1:
            facts = Facts(text=text, channel=Channel.SMS, sender_known=True)
            yield entry, Message(facts, lexicon.read(text)), held_by


def _stem(text: str) -> str:
    """The text with each word as the singular or stem that it may be a form of."""
    return " ".join((*forms_of(word)[1:], word)[0] for word in words_of(text))


def _words(value: Sequence[str], lists: Mapping[str, Listed]) -> Iterator[str]:
    """The words that a condition names, those of its lists and of what these include."""
    waiting = [entry[1:] for entry in value if entry.startswith(LIST_MARK)]
    yield from (entry for entry in value if not entry.startswith(LIST_MARK))
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in lists:
            seen.add(name)
            yield from lists[name].words
            waiting += lists[name].include


def _takes(rule: Rule, message: Message) -> bool:
    """Whether the rule takes the text as far as its words go; of anything else it asks, it might."""
    every = all(condition.see(message).passed for condition in rule.all if condition.field == "text")
    return every and (not rule.any or any(c.field != "text" or c.see(message).passed for c in rule.any))


def _apart(earlier: Rule, later: Rule) -> bool:
    """Whether no text reaches both, or the later rule says that it knows."""
    if earlier.key in later.yields_to:
        return True
    return any(exclude(one, other) or exclude(other, one) for one in earlier.all for other in later.all)


def _parts(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """The rule as if it asked for one of its alternatives alone, with that alternative's name."""
    for one in rule.any:
        yield _said(one), rule.model_copy(update={"all": (*rule.all, one), "any": ()})
    for index, condition in enumerate(rule.all):
        if condition.op in (TextOp.CONTAINS_ANY, ChoiceOp.IS_ANY) and len(_values(condition)) > 1:
            for value in _values(condition):
                narrow = condition.model_copy(update={"value": (value,)})
                parts = (*rule.all[:index], narrow, *rule.all[index + 1 :])
                yield str(value), rule.model_copy(update={"all": parts})


def _values(condition: Condition) -> tuple[object, ...]:
    return condition.value if isinstance(condition.value, tuple) else ()


def _said(condition: Condition) -> str:
    value = ", ".join(map(str, _values(condition))) or str(condition.value)
    return f"“{condition.field} {condition.op} {value}”".replace("_", " ")


def _asked(rule: Rule) -> Iterator[str]:
    for condition in (*rule.all, *rule.any):
        if isinstance(condition, TextCondition):
            yield from condition.asked_lists


def _several(names: Sequence[str]) -> str:
    named = ", ".join(names[:_NAMED])
    return named if len(names) <= _NAMED else f"{named} and {len(names) - _NAMED} more"
