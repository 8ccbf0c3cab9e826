"""What the picker offers first."""

from __future__ import annotations

import dataclasses

from crm_core.library.model import TemplateState, TemplateView
from crm_core.library.picker import rank
from crm_core.words import Channel


def _view(key: str, title: str, category: str, purpose: str = "Says so.") -> TemplateView:
    return TemplateView(
        id=hash(key) % 1000,
        template_id=1,
        key=key,
        number=1,
        language="en",
        state=TemplateState.APPROVED,
        title=title,
        purpose=purpose,
        categories=(category,),
        channels=(Channel.SMS,),
        body="Hi.",
        fields=(),
        needs_personal=False,
        review_months=12,
        review_due=None,
        approved_by=1,
        approved_at=None,
        retired_because=None,
    )


ALL = [
    _view("billing_ways_to_pay", "Bill: ways to pay", "billing"),
    _view("form_ready", "Form: ready for you", "form", "The form can be picked up."),
    _view("refill_done", "Refill: sent to the pharmacy", "refill"),
    _view("refill_received", "Refill: we have your request", "refill"),
    _view("scheduling_ask_times", "Cita: ¿qué día le queda bien?", "scheduling"),
]


def _keys(query: str = "", category: str | None = None, recent: tuple[str, ...] = ()) -> list[str]:
    return [pick.template.key for pick in rank(ALL, query, category=category, recent=recent)]


def test_without_a_query_what_fits_comes_first_and_the_rest_by_title() -> None:
    assert _keys(category="refill")[:3] == ["refill_done", "refill_received", "billing_ways_to_pay"]
    assert len(_keys(category="refill")) == len(ALL)


def test_recent_use_lifts_within_what_fits_and_the_latest_comes_first() -> None:
    recent = ("form_ready", "refill_received")
    assert _keys(category="refill", recent=recent)[:3] == ["refill_received", "refill_done", "form_ready"]
    assert _keys(recent=("refill_done", "form_ready"))[:2] == ["refill_done", "form_ready"]


def test_a_query_finds_by_beginnings_of_words_in_title_or_key() -> None:
    assert _keys("ref pha")[0] == "refill_done"
    assert _keys("pay")[0] == "billing_ways_to_pay"


def test_a_query_forgives_a_typing_error_case_and_accents() -> None:
    assert _keys("REFIL pharmcy")[0] == "refill_done"
    assert _keys("que dia")[0] == "scheduling_ask_times"


def test_a_query_that_matches_nothing_offers_nothing() -> None:
    assert _keys("zzzzqqq") == []


def test_the_order_does_not_depend_on_the_order_given() -> None:
    forwards = rank(ALL, "refill", category="billing")
    assert forwards == rank(list(reversed(ALL)), "refill", category="billing")
    assert dataclasses.is_dataclass(forwards[0])
