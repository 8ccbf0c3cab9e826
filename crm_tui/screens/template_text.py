"""A template as it is read in the library: what it is, what is wrong with it, what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, tzinfo

from textual.content import Content

from crm_tui.desk.library import (
    Change,
    Line,
    Problem,
    ShelfRow,
    TemplateState,
    TemplateView,
    is_caution,
    length,
)
from crm_tui.screens.showing import moment
from crm_tui.terminal import one_line, plain
from crm_tui.widgets.template_list import STATE_STYLES

_FIELD = re.compile(r"\{\{.*?\}\}")
_CHANGED = {Change.GONE: "$due-late", Change.NEW: "$success", Change.SAME: "$quiet"}


def state_word(row: ShelfRow, today: date) -> str:
    """What the row's state is called: the newest version's, or that the one in force must be read again."""
    due = row.review(today)
    if due == "past":
        return "past review"
    if due and row.newest.state is TemplateState.APPROVED:
        return "review due"
    return row.newest.state.value.replace("_", " ")


def template_text(
    row: ShelfRow,
    view: TemplateView,
    findings: Sequence[Problem],
    names: Mapping[int, str],
    *,
    today: date,
    zone: tzinfo,
) -> Content:
    """One version with all that is known of it, line by line."""
    lines = [*_head(row, view, today), *_facts(row, view, zone, names)]
    lines += [finding_line(replace(problem, line=None)) for problem in findings]
    lines += [Content(), _body(view.body), Content(), *_versions(row, view, names)]
    return Content("\n").join(lines)


def finding_line(problem: Problem) -> Content:
    """`wrong` or `look`, where, and what."""
    word, style = ("look   ", "$warning") if is_caution(problem) else ("wrong  ", "bold $due-late")
    line = f"line {problem.line}: " if problem.line is not None else ""
    where = f"{problem.key}: " if problem.key and problem.key != "body" else ""
    return Content.assemble((word, style), plain(one_line(f"{line}{where}{problem.message}")))


def difference_text(lines: Sequence[Line]) -> Content:
    """What is gone and what is new, each line marked by its sign."""
    return Content("\n").join([plain(f"{line.change} {one_line(line.text)}", _CHANGED[line.change]) for line in lines])


def _head(row: ShelfRow, view: TemplateView, today: date) -> Iterator[Content]:
    state = view.state.value.replace("_", " ")
    yield Content.assemble(
        plain(one_line(view.title), "bold"), plain(f"   {view.key} · {view.language} · version {view.number} · "),
        (state, STATE_STYLES.get(state, "")),
    )  # fmt: skip
    yield plain(one_line(view.purpose), "$quiet")
    if view.state is TemplateState.APPROVED and view.review_due is not None:
        if view.past_review(today):
            yield plain(
                f"Its review was due on {view.review_due}: it is not sent until it is approved again.", "$due-late"
            )
        else:
            days = (view.review_due - today).days
            yield plain(
                f"To be read again by {view.review_due}, in {days} days.", "$warning" if row.review(today) else ""
            )
    if view.remark is not None:
        yield plain(f"Sent back: {one_line(view.remark)}", "bold $warning")


def _facts(row: ShelfRow, view: TemplateView, zone: tzinfo, names: Mapping[int, str]) -> Iterator[Content]:
    yield plain(f"for {', '.join(view.categories)} · by {', '.join(view.channels)}".replace("_", " "))
    sent = f"sent {row.sent:,} times, last {moment(row.last_sent, zone)}" if row.last_sent else "never sent"
    languages = f"approved in {', '.join(row.ready)}" if row.ready else "approved in no language"
    missing = f", missing in {', '.join(row.missing)}" if row.missing else ""
    yield plain(f"{sent} · {languages}{missing}")
    if told := length(view.key, view.body, view.channels):
        yield plain(told)
    if view.needs_personal:
        yield plain("needs a personal sentence")
    if view.then is not None:
        yield plain(f"then: {one_line(str(view.then))}", "$accent")
    author = _name(view.author_id, names)
    yield plain(f"from {'a file, applied' if view.origin == 'file' else 'the library, written'} by {author}", "$quiet")


def _body(body: str) -> Content:
    """The text with its fields in colour."""
    parts: list[Content] = []
    at = 0
    for field in _FIELD.finditer(body):
        parts += [plain(body[at : field.start()]), plain(field[0], "bold $primary")]
        at = field.end()
    return Content("").join([*parts, plain(body[at:])])


def _versions(row: ShelfRow, shown: TemplateView, names: Mapping[int, str]) -> Iterator[Content]:
    if len(row.versions) == 1:
        return
    yield plain("Versions: [ ] steps through them, d shows what each changed", "$quiet")
    for view in row.versions:
        mark = "›" if view is shown else " "
        because = f" ({view.retired_because})" if view.retired_because is not None else ""
        when = f" · {view.created_at:%Y-%m-%d}" if view.created_at is not None else ""
        state, author = view.state.value.replace("_", " "), _name(view.author_id, names)
        words = f"{mark} {view.number:>3}  {state}{because}{when} · {author}"
        yield plain(words, "" if view is shown else "$quiet")


def _name(staff_id: int, names: Mapping[int, str]) -> str:
    return one_line(names.get(staff_id, f"account {staff_id}")) if staff_id else "the system"
