"""A rehearsal as a document, and as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm_tui.ids import Kind, show_id

if TYPE_CHECKING:
    from crm_core.inbox.routing.rehearsal import Comparison, Rehearsal, Sample


def document(run: Rehearsal, said: Mapping[int, str]) -> dict[str, Any]:
    """What moved, from where to where, with samples; their texts where `said` holds them."""
    first = run.first
    return {
        "since": run.since,
        "texts": first.texts,
        "held_by_danger": run.held,
        "moved": first.moved.total(),
        "recategorised": first.recategorised,
        "reprioritised": first.reprioritised.total(),
        "lanes": _lanes(first),
        "moves": [
            {
                "from": pair[0],
                "to": pair[1],
                "texts": count,
                "samples": [_sample(each, said) for each in first.kept[pair]],
            }
            for pair, count in first.moved.most_common()
        ],
        "priorities": [
            {"from": pair[0], "to": pair[1], "texts": count} for pair, count in first.reprioritised.most_common()
        ],
        "reopening": {
            "texts": run.reopening.texts,
            "moved": run.reopening.moved.total(),
            "reprioritised": run.reopening.reprioritised.total(),
        },
    }


def for_people(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same, the samples as one table and without what is nothing."""
    samples = [
        {"from": move["from"], "to": move["to"], **sample} for move in found["moves"] for sample in move["samples"]
    ]
    moves = [{**move, "samples": [each["conversation"] for each in move["samples"]]} for move in found["moves"]]
    return {**found, "moves": moves, "samples": samples}


def _lanes(first: Comparison) -> list[dict[str, Any]]:
    rows = []
    for lane in dict.fromkeys((*first.now, *first.then)):
        came = sum(count for (_, to), count in first.moved.items() if to == lane)
        went = sum(count for (source, _), count in first.moved.items() if source == lane)
        rows.append(
            {"lane": lane, "now": first.now[lane], "then": first.then[lane], "moved_in": came, "moved_out": went}
        )
    return sorted(rows, key=lambda row: (-row["now"], row["lane"]))


def _sample(sample: Sample, said: Mapping[int, str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "conversation": show_id(Kind.CONVERSATION, sample.conversation_id),
        "category_now": sample.now.category,
        "category_then": sample.then.category,
        "rule_now": sample.now.rule,
        "rule_then": sample.then.rule,
    }
    text = said.get(sample.message_id)
    return row if text is None else {**row, "text": str(text)}
