"""What is asked when a complaint is closed, one after another: what it was about, on which date it was answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo

from crm_tui.desk.lanes import ComplaintEnd
from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.widgets.choice import Choice, Pick, Picked

_DAYS_ON_OFFER = 5
_DAYS_BACK = 7


def ask_about_complaint(screen: ConsoleScreen, about: str, then: Callable[[ComplaintEnd], None]) -> None:
    """Ask both, then call `then`; nothing happens where either is left with esc. `about` names the conversation."""
    picks = [Pick(id=key, name=title) for key, title in screen.session.choices.complaints]

    def chosen(picked: Picked | None) -> None:
        if picked is not None:
            _ask_date(screen, about, lambda day: then(ComplaintEnd(category=picked.id, answered_on=day)))

    screen.app.push_screen(Choice(f"{about}: what was the complaint about?", picks), chosen)


def _ask_date(screen: ConsoleScreen, about: str, then: Callable[[date], None]) -> None:
    today = _today(screen.desk.now(), screen.session.choices.zone)
    days = [today - timedelta(days=back) for back in range(_DAYS_ON_OFFER)]
    picks = [Pick(id=day.isoformat(), name=_name(day, today), hint=f"{day:%a} {day.day} {day:%b}") for day in days]

    def chosen(picked: Picked | None) -> None:
        if picked is None:
            return
        day = date.fromisoformat(picked.id) if picked.id else read_past_day(picked.text, today)
        if day is None:
            screen.flash(f"“{picked.text}” is no date; type 2026-11-23, 11/23 or monday.", "warning")
            return
        then(day)

    hint = "or type: 2026-11-23 · 11/23 · monday · enter takes · esc back"
    screen.app.push_screen(Choice(f"{about}: when was it answered?", picks, free=True, hint=hint), chosen)


def read_past_day(text: str, today: date) -> date | None:
    """`2026-11-23`, `11/23` (the last one, month before day), `mon` (the last one); None where it is no date."""
    word = text.strip().casefold()
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    if word.isalpha() and word[:3] in names:
        return today - timedelta(days=(today.weekday() - names.index(word[:3])) % _DAYS_BACK)
    try:
        if "/" not in word:
            return date.fromisoformat(word)
        month, _, day = word.partition("/")
        found = date(today.year, int(month), int(day))
        return found if found <= today else found.replace(year=today.year - 1)
    except ValueError:
        return None


def _today(now: datetime, zone: tzinfo) -> date:
    return now.astimezone(zone).date()


def _name(day: date, today: date) -> str:
    back = (today - day).days
    return ("Today", "Yesterday")[back] if back < 2 else f"{back} days ago"  # noqa: PLR2004 - these have names
