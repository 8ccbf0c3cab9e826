"""Counts how the shipped rules route real and made texts, and writes the figures into docs/routing.md.

Every text is taken in by `receive` on a real store, so danger, opt-outs and threading have their
say as they do in a clinic.

Run `python -m tests.inbox.routing_report` from the project's root after changing words.toml or
routing.toml; a test fails while the page is stale.
"""

from __future__ import annotations

import csv
import functools
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from crm_core.channels.model import Received
from crm_core.inbox.arrivals import UNSCREENED_WHY
from crm_core.inbox.playbook.section import CategoriesSection, RoutingSection, WordsSection
from crm_core.inbox.playbook.sections import SECTIONS
from crm_core.inbox.routing.conditions import Facts
from crm_core.inbox.routing.deciding import Decision, Rules, compile_rules, route
from crm_core.playbook.calendars import CALENDARS
from crm_core.playbook.loader import Playbook, load_content
from crm_core.words import Channel
from tests.inbox.routed_on_a_store import received_on_a_store

ROOT = Path(__file__).parents[2]
PRIMARY_CARE = ROOT / "data" / "playbooks" / "primary_care"
DOCUMENT = ROOT / "docs" / "routing.md"
MESSAGES = ROOT.parent / "shared" / "data" / "messages"
BEGIN, END = "<!-- counted: begin -->", "<!-- counted: end -->"
CATCH_ALL = "front_desk"
LABELLED = {
    "routing_examples.toml": "Messages the rules were mended with",
    "routing_held_out.toml": "Messages written after the rules",
    "routing_unseen.toml": "A third set, written before the lists were widened again",
    "routing_judged_once.toml": "Messages judged once",
}
"""The labelled messages beside this file, and what they are called in the page."""
CLINICAL = {"clinical_advice", "result_question", "refill"}
ADMINISTRATIVE = {"billing", "scheduling"}

Labelled = Sequence[tuple[str, str]]
"""Pairs of a text and the category it belongs to."""


@functools.cache
def shipped() -> Playbook:
    """The inbox's part of the playbook that ships, as its files stand."""
    sections = (CALENDARS, *SECTIONS)
    files = {file for section in sections for file in section.files}
    content = {file: (PRIMARY_CARE / file).read_text(encoding="utf-8") for file in sorted(files)}
    return load_content(content, sections, name="primary_care")


@functools.cache
def shipped_rules() -> Rules:
    """Its routing, compiled."""
    playbook = shipped()
    return compile_rules(
        playbook.section(WordsSection), playbook.section(CategoriesSection), playbook.section(RoutingSection)
    )


def decide(text: str, channel: Channel = Channel.PORTAL) -> Decision:
    """Where the shipped rules send `text`."""
    return route(shipped_rules(), Facts(text=text, channel=channel, sender_known=True))


def labelled(name: str) -> list[tuple[str, str]]:
    """The messages of one of the files beside this one, English and Spanish."""
    languages = tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return [
        (text, category)
        for categories in languages.values()
        for category, texts in categories.items()
        for text in texts
    ]


def real_questions(folder: Path = MESSAGES) -> list[str]:
    """The 509 questions that people sent to the US National Library of Medicine."""
    with (folder / "nlm-meqsum.csv").open(encoding="utf-8", newline="") as file:
        return [row["question"] for row in csv.DictReader(file)]


def ordinary_texts(folder: Path = MESSAGES) -> list[str]:
    """The ham of the SMS spam collection: texts between friends, which no clinic expects."""
    with (folder / "sms-spam-collection.csv").open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if row["label"] == "ham"]


def opt_outs(folder: Path = MESSAGES) -> list[tuple[str, str]]:
    """Keywords and sentences with what they are: stop, help, start, or not."""
    with (folder / "opt-out-keywords.csv").open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


def right_share(messages: Labelled) -> float:
    """The share whose category is the labelled one."""
    return sum(decide(text).category == category for text, category in messages) / len(messages)


def right_lane_share(messages: Labelled) -> float:
    """The share that lands in the lane of the labelled category."""
    lanes = {category.key: category.lane for category in shipped().section(CategoriesSection).category.values()}
    return sum(decide(text).lane == lanes[category] for text, category in messages) / len(messages)


def clinical_among_paper(messages: Labelled) -> list[str]:
    """Clinical texts that land in billing or scheduling."""
    return [text for text, category in messages if category in CLINICAL and decide(text).category in ADMINISTRATIVE]


def confusion(messages: Labelled) -> list[str]:
    """A Markdown table: a row a true category, a column where it was routed."""
    names = list(shipped().section(CategoriesSection).category)
    got = [received.category for received in received_on_a_store([text for text, _ in messages], Channel.PORTAL)]
    counts = Counter(zip((category for _, category in messages), got, strict=True))
    lines = ["| is ↓ routed → | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for true in names:
        cells = (str(counts[true, routed] or "·") for routed in names)
        lines.append(f"| **{true}** | " + " | ".join(cells) + " |")
    return lines


def ends(received: Sequence[Received]) -> Counter[str]:
    """Where texts end: a lane, with danger and what could not be screened apart; or no lane, for a keyword alone."""
    return Counter(_end(one) for one in received)


def _end(one: Received) -> str:
    if one.lane is None:
        return f"no lane: {one.handled_by.value.replace('_', ' ')}"
    if any(reason.startswith("danger: ") for reason in one.why):
        return f"{one.lane}, as a danger"
    if UNSCREENED_WHY in one.why:
        return f"{one.lane}, unscreened"
    return one.lane


def catch_all_share(received: Sequence[Received]) -> float:
    """The share that lies in the catch-all lane for whatever reason."""
    return sum(one.lane == CATCH_ALL for one in received) / len(received)


def ends_table(received: Sequence[Received]) -> list[str]:
    """A Markdown table of where texts ended."""
    lines = ["| ends in | texts | share |", "|---|---|---|"]
    counts = sorted(ends(received).items(), key=lambda item: (-item[1], item[0]))
    lines += [f"| {name} | {count} | {count / len(received):.1%} |" for name, count in counts]
    return lines


def counted() -> str:
    """The part of docs/routing.md between the marks."""
    parts: list[str] = []
    for name, title in LABELLED.items():
        messages = labelled(name)
        parts += [f"### {title} ({len(messages)}, tests/inbox/{name})", ""]
        right = f"Right category {right_share(messages):.1%}, right lane {right_lane_share(messages):.1%}"
        astray = f"clinical texts in billing or scheduling: {len(clinical_among_paper(messages))}"
        parts += [f"{right}; {astray}.", "", *confusion(messages), ""]
    for title, texts in (
        ("Real questions to a medical library (nlm-meqsum.csv)", real_questions()),
        ("Texts between friends (the ham of sms-spam-collection.csv)", ordinary_texts()),
        ("Words and sentences about stopping (opt-out-keywords.csv)", [text for text, _ in opt_outs()]),
    ):
        received = received_on_a_store(texts)
        share = f"{len(texts)} texts; in the catch-all lane {catch_all_share(received):.1%}."
        parts += [f"### {title}", "", share, "", *ends_table(received), ""]
    return "\n".join(parts[:-1])


def with_counts(document: str) -> str:
    """`document` with the counted part as it is now."""
    head, rest = document.split(BEGIN)
    return f"{head}{BEGIN}\n\n{counted()}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_counts(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
