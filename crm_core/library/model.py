"""A template's states and what other rooms see of a version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from crm_core.library.macro import Then
from crm_core.words import Channel


class TemplateState(StrEnum):
    """A version's life; only `APPROVED` is ever sent, and only `RETIRED` is an end."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    RETIRED = "retired"


class RetiredBecause(StrEnum):
    """Why a version is over."""

    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    DROPPED = "dropped"


class Origin(StrEnum):
    """Where a version's text came from: a playbook's file, or somebody's writing in the store."""

    FILE = "file"
    WRITTEN = "written"


@dataclass(frozen=True, kw_only=True)
class TemplateView:
    """One version of one template in one language.

    `id` is the version's; `template_id` is shared by all versions and languages of `key`.
    `fields` are the merge fields that the body uses. `review_due` is the last day on which an
    approved version may be sent; it is None only before approval. `then` is what else happens when
    it is sent. `author_id` 0 is the system's. `remark` is why an approver sent it back.
    """

    id: int
    template_id: int
    key: str
    number: int
    language: str
    state: TemplateState
    title: str
    purpose: str
    categories: tuple[str, ...]
    channels: tuple[Channel, ...]
    body: str
    fields: tuple[str, ...]
    needs_personal: bool
    review_months: int | None
    review_due: date | None
    approved_by: int | None
    approved_at: datetime | None
    retired_because: RetiredBecause | None
    then: Then | None = None
    origin: Origin = Origin.FILE
    author_id: int = 0
    created_at: datetime | None = None
    remark: str | None = None

    def past_review(self, today: date) -> bool:
        """Whether the review date has gone by; on the day itself it may still be sent."""
        return self.review_due is not None and today > self.review_due


@dataclass(frozen=True, kw_only=True)
class Variants:
    """One template's languages: those that may be sent, those that wait for approval, those that are missing.

    A patient whose language is missing is answered in English.
    """

    key: str
    ready: tuple[str, ...]
    waiting: tuple[str, ...]
    missing: tuple[str, ...]


def months_after(day: date, months: int) -> date:
    """`day` moved by whole months, held to the last day of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
