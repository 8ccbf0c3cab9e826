"""The part of a conversation's screen that tells colleagues I am here, and shows who else is."""

from __future__ import annotations

from datetime import datetime, timedelta

from typing_extensions import override

from crm_tui.desk.company import CompanyDesk, Present
from crm_tui.desk.entrance import CutOff
from crm_tui.desk.lanes import CrmError, Topic
from crm_tui.screens.writing import Writing
from crm_tui.widgets.company_line import Companion, CompanyLine
from crm_tui.widgets.composer import Composer

SIGN_EVERY = 10.0
"""Seconds between two signs of one open conversation; they fade after 30."""


class InCompany(Writing):
    """Signs go out while this screen is in front of a person; none does for a key or a cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._signed_at: datetime | None = None
        self._company: CompanyDesk | None = None

    def on_mount(self) -> None:
        """Say that I am here, and look who else is."""
        self._company = self.session.company
        self.set_interval(SIGN_EVERY, self.sign)
        self.sign()
        self._look_who()

    def on_unmount(self) -> None:
        """Say that I am gone."""
        self._leave()

    @override
    def keep_drafts(self) -> None:
        super().keep_drafts()
        # Called before whatever takes the person away: another screen, the lock, the end.
        self._leave()

    @override
    def changed(self, topics: frozenset[Topic], *, in_view: bool) -> None:
        super().changed(topics, in_view=in_view)
        if Topic.PRESENCE in topics and in_view:
            self._look_who()

    def on_screen_resume(self) -> None:
        """What was missed while another screen lay over this one."""
        self.sign()
        self._look_who()

    def sign(self) -> None:
        """Say that I am here, unless I said so less than ten seconds ago."""
        company, number, writing = self._company, self.conversation_id, self.composer.display
        in_front = self._is_in_use and self.console.is_inside and self.console.front is self
        if company is None or not in_front or not self.desk.may("conversation:read"):
            return
        now = self.console.now()
        if self._signed_at is not None and now - self._signed_at < timedelta(seconds=SIGN_EVERY):
            return
        self._signed_at = now
        self.console.write(lambda: company.here(number, writing=writing), failed=self._unsaid)

    @override
    def on_composer_draft_changed(self, event: Composer.DraftChanged) -> None:
        # Not in place of what keeps the draft: Textual calls each class's own.
        self.sign()

    def on_company_line_faded(self, event: CompanyLine.Faded) -> None:
        """A sign is too old: there may be a newer one."""
        event.stop()
        self._look_who()

    def _look_who(self) -> None:
        company, number = self._company, self.conversation_id
        if company is not None and self._is_in_use:
            self.read("company", lambda: company.who(number), self._show_company, self._unsaid)

    def _show_company(self, present: tuple[Present, ...]) -> None:
        for line in self.query(CompanyLine):
            line.show_company([Companion(name=one.name, writing=one.writing, fades_at=one.fades_at) for one in present])

    def _leave(self) -> None:
        company, number = self._company, self.conversation_id
        if company is not None and self._signed_at is not None and self.console.session is not None:
            self._signed_at = None
            self.console.write(lambda: company.leave(number), failed=self._unsaid)

    def _unsaid(self, error: CrmError) -> None:
        """A sign that does not reach the store is no matter; an account that was ended is."""
        if isinstance(error, CutOff):
            self.console.told(error)
