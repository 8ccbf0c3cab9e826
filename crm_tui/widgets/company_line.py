"""A line that says who else has this conversation before them; there only while somebody has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from textual.content import Content
from textual.message import Message
from textual.timer import Timer

from crm_tui.terminal import one_line, plain
from crm_tui.widgets.line import Line, Now, utc_now

_MARGIN = 0.1
"""Seconds after the time at which a sign fades before the look at it."""


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A colleague who is here, until when if there is no further sign."""

    name: str
    writing: bool
    fades_at: datetime


def company_text(company: Sequence[Companion]) -> Content:
    """`Ben is writing · Kim is here`, those who write first."""
    said = sorted(company, key=lambda one: not one.writing)
    return Content(" · ").join(
        plain(f"{one_line(one.name)} is {'writing' if one.writing else 'here'}", "bold $warning" if one.writing else "")
        for one in said
    )


class CompanyLine(Line):
    """Shown above the status line. Nothing is drawn, and no time is counted, while one is alone."""

    DEFAULT_CSS = """
    CompanyLine { background: $surface; color: $quiet; padding: 0 1; display: none; }
    """

    class Faded(Message):
        """Somebody's last sign is too old: look who is really still here."""

    def __init__(self, *, now: Now = utc_now) -> None:
        super().__init__()
        self.now = now
        self.company: tuple[Companion, ...] = ()
        self._fading: Timer | None = None

    def show_company(self, company: Sequence[Companion]) -> None:
        """Show who is here, and look again when the first of them would fade."""
        self.company = tuple(company)
        self.display = bool(self.company)
        self.show(company_text(self.company))
        if self._fading is not None:
            self._fading.stop()
            self._fading = None
        if self.company:
            first = min(one.fades_at for one in self.company)
            self._fading = self.set_timer(max(0.0, (first - self.now()).total_seconds()) + _MARGIN, self.fade)

    def fade(self) -> None:
        """Take away whose time is over, and ask for what is so now."""
        now = self.now()
        self.show_company([one for one in self.company if one.fades_at > now])
        self.post_message(self.Faded())
