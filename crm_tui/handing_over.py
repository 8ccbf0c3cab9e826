"""A console that tells its user what colleagues hand over to them."""

from __future__ import annotations

from typing_extensions import override

from crm_tui.desk.lanes import Topic
from crm_tui.modes import Modes
from crm_tui.screens.handoff import HandoffScreen


class HandingOver(Modes):
    """The mixin: looks when offers change and at sign-in, and shows the panel."""

    _offered: frozenset[int] = frozenset()

    @override
    def arrived(self) -> None:
        self._offered = frozenset()
        self.look_at_offers()

    def look_at_offers(self, topics: frozenset[Topic] = frozenset({Topic.HANDOVER})) -> None:
        """Look what waits for an answer; says so where something is new."""
        if self.session is not None and Topic.HANDOVER in topics and self.session.lanes.may("conversation:work"):
            self.read("offers to me", self.session.handoff.waiting, self._tell_offers, lambda _: None)

    def _tell_offers(self, offers: frozenset[int]) -> None:
        new, self._offered = offers - self._offered, offers
        if new and self.is_inside:
            what = "A conversation was" if len(new) == 1 else f"{len(new)} conversations were"
            self.notify(f"{what} handed to you: ‘:handoff’ shows.", timeout=8)

    def do_handoff(self) -> None:
        """What I own, what I hand over, what is handed to me."""
        if self.session is not None and not isinstance(self.screen, HandoffScreen):
            self.push_screen(HandoffScreen())
