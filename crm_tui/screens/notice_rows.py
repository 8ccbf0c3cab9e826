"""Notices as values that a patient's record draws."""

from __future__ import annotations

from datetime import tzinfo

from textual.content import Content

from crm_tui.desk.notices import NoticeLine, NoticeView
from crm_tui.screens.showing import moment
from crm_tui.terminal import one_line, plain
from crm_tui.widgets.queue_row import fit

_LABEL = 13


def notice_name(notice_id: int) -> str:
    """`N-12`, as staff say it."""
    return f"N-{notice_id}"


def notice_row(one: NoticeLine, zone: tzinfo) -> Content:
    """One line: which, when, what, and how it stands."""
    stands = one.fate.replace("_", " ")
    if one.answer is not None:
        stands += f", {one.answer}"
    at = moment(one.next_at or one.due_at, zone)
    what = f"{fit(notice_name(one.notice_id), 7)} {fit(at, 16)} {fit(one_line(one.template_key), 18)} {fit(stands, 18)}"
    return plain(what + (f" {one_line(one.because)}" if one.because else ""))


def notice_text(view: NoticeView, zone: tzinfo) -> Content:
    """All that a notice says, and why it did or did not go."""
    facts = [
        ("template", view.template_key),
        ("due", moment(view.due_at, zone)),
        ("send by", moment(view.send_by, zone) if view.send_by else None),
        ("about", moment(view.about_at, zone) if view.about_at else None),
        ("asks", view.asks.value),
        ("stands", view.fate.replace("_", " ")),
        ("answer", view.answer),
        ("replied", f"{moment(view.replied_at, zone)}: {view.replied}" if view.replied_at else None),
        ("by way of", view.channel.value if view.channel else None),
        ("next look", moment(view.next_at, zone) if view.next_at else None),
        ("planned", f"{moment(view.planned_at, zone)} by {view.planned_by or view.source}"),
    ]
    facts += [(key, text) for key, text in view.fields.items()]
    lines = [
        Content.assemble(plain(f"{label:<{_LABEL}}", "$quiet"), plain(one_line(said))) for label, said in facts if said
    ]
    if view.because:
        lines.append(plain(f"because: {one_line(view.because)}"))
    return Content("\n").join([*lines, plain(""), *(plain(one_line(reason)) for reason in view.why)])
