"""A line of text that is drawn again only when it reads differently."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from textual.content import Content
from textual.widgets import Static

Now = Callable[[], datetime]
"""Tells the time in aware UTC; tests and the demo pass their own."""


def utc_now() -> datetime:
    """The host's clock."""
    return datetime.now(UTC)


class Line(Static):
    """One row of content; what does not fit ends in an ellipsis."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Line {
        height: 1;
        width: 1fr;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self, content: Content | None = None, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(content or Content(), id=id, classes=classes, markup=False)
        self._shown = content or Content()

    @property
    def text(self) -> str:
        """What the line says."""
        return self._shown.plain

    def show(self, content: Content) -> None:
        """Say this; nothing is drawn when it is what the line says already."""
        if not content.is_same(self._shown):
            self._shown = content
            self.update(content)
