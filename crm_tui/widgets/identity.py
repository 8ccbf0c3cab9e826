"""Who is on the screen, and when keys may count as meant for that person."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from textual.content import Content

from crm_tui.terminal import plain
from crm_tui.widgets.line import Line
from crm_tui.widgets.queue_row import MASK

PAUSE = 0.4
"""Seconds a new identity must have been on the screen before a key counts."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What tells one patient from another, as text for one line.

    `number` is shown by its last four digits alone. `shared_by` is how many patients use it;
    `changed_days` how many days ago it changed, where that is within a week. `only` is the one way
    in which the patient asked to be reached. `patient` 0 is an unknown sender.
    """

    patient: int
    name: str
    birth_date: str = ""
    number: str = ""
    language: str = ""
    proxy: str = ""
    shared_by: int = 1
    changed_days: int | None = None
    deceased: bool = False
    only: str = ""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What must be confirmed with `y` before a message goes to this number."""
        found = []
        if self.shared_by > 1:
            found.append(f"shared by {self.shared_by}")
        if self.changed_days is not None:
            days = self.changed_days
            found.append("changed today" if days == 0 else f"changed {days} day{'s' if days > 1 else ''} ago")
        return tuple(found)

    @property
    def last_four(self) -> str:
        """The number's last four digits, with dots for the rest."""
        digits = "".join(one for one in self.number if one.isalnum())
        return f"···{digits[-4:]}" if digits else ""


def identity_text(identity: Identity | None, *, masked: bool = False) -> Content:
    """Name · born · number · language, then in colour what must be noticed."""
    if identity is None:
        return plain("nobody is open", "$quiet")
    if masked:
        return Content.assemble((MASK, "bold"), plain(" · identities are masked, f2 shows them", "$quiet"))
    parts = [plain(identity.name, "bold")]
    if not identity.patient:
        parts.append(plain("not linked to a patient", "$warning"))
    parts += [plain(part) for part in (f"born {identity.birth_date}" if identity.birth_date else "",) if part]
    parts += [plain(part) for part in (identity.last_four, identity.language) if part]
    if identity.proxy:
        parts.append(plain(f"through {identity.proxy}", "$warning"))
    if identity.only:
        parts.append(plain(identity.only.upper(), "bold $warning"))
    parts += [plain(caution, "bold $warning") for caution in identity.cautions]
    if identity.deceased:
        parts.append(plain("DECEASED", "bold $error"))
    return Content(" · ").join(parts)


class IdentityBar(Line):
    """The identity of the open patient in one line."""

    DEFAULT_CSS = """
    IdentityBar { background: $panel; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(identity_text(None), id=id)
        self.identity: Identity | None = None
        self.masked = False

    def show_identity(self, identity: Identity | None, *, masked: bool = False) -> None:
        """Show who is open, or that nobody is."""
        self.identity, self.masked = identity, masked
        self.show(identity_text(identity, masked=masked))


class IdentityGuard:
    """Drops keys from the moment the patient changes until the new one has been seen.

    A screen and its composer share one: `changed` when another patient is opened, `painted`
    once the identity is on the terminal, `is_open` before any key is obeyed.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic, pause: float = PAUSE) -> None:
        self._monotonic = monotonic
        self._pause = pause
        self._who: Hashable = None
        self._painted_at: float | None = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether the identity has been on the screen long enough."""
        return self._painted_at is not None and self._monotonic() - self._painted_at >= self._pause

    def changed(self, who: Hashable) -> bool:
        """Note who is open; True, and closed, when that is someone else than before."""
        if who == self._who:
            return False
        self._who = who
        self._painted_at = None
        return True

    def painted(self, who: Hashable) -> None:
        """Note that the identity is on the screen; a paint of an older one does not count."""
        if who == self._who and self._painted_at is None:
            self._painted_at = self._monotonic()
