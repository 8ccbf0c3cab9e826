"""Template versions on both stores: from the playbook's files to what may be sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.app import Crm
from crm_core.clock import ShiftedClock
from crm_core.errors import CrmError, NotFound, NotPermitted
from crm_core.library import queries, service
from crm_core.library.applying import Imported, import_from_playbook
from crm_core.library.model import RetiredBecause, TemplateState, TemplateView
from crm_core.library.section import TemplatesSection, TemplateText
from crm_core.library.service import TemplateNotThere
from crm_core.playbook.loader import Playbook
from crm_core.words import Channel

StaffFactory = Callable[..., Actor]


@pytest.fixture
def approver(staff: StaffFactory) -> Actor:
    return staff(Role.APPROVER)


@pytest.fixture
def agent(staff: StaffFactory) -> Actor:
    return staff(Role.AGENT)


def _text(**changes: Any) -> TemplateText:
    plain = {
        "file": "templates/hello.md",
        "key": "hello",
        "title": "Hello",
        "categories": ["other"],
        "channels": ["sms"],
        "purpose": "Greets.",
        "review_months": 12,
        "body": "Hi {{ patient.first_name }}.",
    }
    return TemplateText.model_validate({**plain, **changes})


def _apply(crm: Crm, *texts: TemplateText) -> Imported:
    """Apply `texts` as all the templates of a playbook."""
    section = TemplatesSection(templates=texts)
    playbook = Playbook(name="test", content={}, sections={TemplatesSection: section})
    with crm.write(SYSTEM) as unit:
        return import_from_playbook(unit, playbook)


def _show(crm: Crm, key: str = "hello", language: str | None = None) -> list[TemplateView]:
    with crm.read(SYSTEM) as unit:
        return queries.show(unit, key, language)


def _states(crm: Crm, language: str = "en") -> dict[int, str]:
    return {view.number: view.state.value for view in _show(crm, language=language)}


def _approve(crm: Crm, actor: Actor, key: str = "hello", **which: Any) -> int:
    with crm.write(actor) as unit:
        return service.approve(unit, key, **which)


def _approved(crm: Crm, actor: Actor, **which: Any) -> list[tuple[str, str, int]]:
    with crm.read(actor) as unit:
        return [(view.key, view.language, view.number) for view in queries.approved(unit, **which)]


def test_what_ships_arrives_as_drafts_and_nothing_may_be_sent(crm: Crm, agent: Actor) -> None:
    with crm.read(agent) as unit:
        everything = queries.templates(unit)
        assert queries.approved(unit) == []
    assert len(everything) >= 30
    assert {view.state for view in everything} == {TemplateState.DRAFT}


def test_a_new_file_is_a_draft_and_the_same_file_again_changes_nothing(crm: Crm) -> None:
    assert _apply(crm, _text()).drafted == 1
    with crm.write(SYSTEM) as unit:
        before = unit.new_id("template_version")
    assert _apply(crm, _text()) == Imported(drafted=0, unchanged=1, dropped=0)
    assert _states(crm) == {1: "draft"}
    with crm.write(SYSTEM) as unit:
        assert unit.new_id("template_version") == before + 1


def test_a_changed_file_is_the_next_draft_and_what_was_approved_stays_in_force(crm: Crm, approver: Actor) -> None:
    _apply(crm, _text())
    _approve(crm, approver)
    _apply(crm, _text(body="Hello {{ patient.first_name }}."))
    assert _states(crm) == {1: "approved", 2: "draft"}
    assert _approved(crm, approver) == [("hello", "en", 1)]
    _approve(crm, approver)
    assert _states(crm) == {1: "retired", 2: "approved"}
    assert _show(crm)[1].retired_because is RetiredBecause.SUPERSEDED


def test_a_draft_nobody_approved_gives_way_to_the_newer_text(crm: Crm) -> None:
    _apply(crm, _text())
    _apply(crm, _text(title="Hello there"))
    assert _states(crm) == {1: "retired", 2: "draft"}


def test_going_back_to_an_older_text_is_a_new_version(crm: Crm) -> None:
    for title in ("Hello", "Hello there", "Hello"):
        _apply(crm, _text(title=title))
    assert _states(crm)[3] == "draft"


def test_approving_signs_the_version_and_sets_its_review_date(crm: Crm, approver: Actor, clock: ShiftedClock) -> None:
    _apply(crm, _text(review_months=6))
    version_id = _approve(crm, approver)
    with crm.read(approver) as unit:
        view = queries.version(unit, version_id)
    assert (view.approved_by, view.approved_at) == (approver.staff_id, clock.now())
    assert view.review_due == date(2027, 5, 23)


def test_a_fixed_review_day_holds_and_one_that_passed_is_refused(crm: Crm, approver: Actor) -> None:
    _apply(
        crm,
        _text(review_months=None, review_due="2027-01-01"),
        _text(key="old", file="b", review_months=None, review_due="2026-01-01"),
    )
    _approve(crm, approver)
    assert _show(crm)[0].review_due == date(2027, 1, 1)
    with pytest.raises(TemplateNotThere, match="2026-01-01"):
        _approve(crm, approver, "old")


def test_past_its_review_date_a_version_is_not_offered_until_it_is_approved_anew(
    crm: Crm, approver: Actor, clock: ShiftedClock
) -> None:
    _apply(crm, _text(review_months=1))
    _approve(crm, approver)
    clock.move(timedelta(days=30))
    assert _approved(crm, approver) == [("hello", "en", 1)]
    clock.move(timedelta(days=1))
    assert _approved(crm, approver) == []
    _approve(crm, approver)
    assert _approved(crm, approver) == [("hello", "en", 1)]


def test_submitting_puts_a_draft_in_review_once(crm: Crm, staff: StaffFactory) -> None:
    admin = staff(Role.ADMIN)
    _apply(crm, _text())
    with crm.write(admin) as unit:
        service.submit(unit, "hello")
    assert _states(crm) == {1: "in_review"}
    with pytest.raises(TemplateNotThere, match="only a draft"), crm.write(admin) as unit:
        service.submit(unit, "hello")


def test_the_approver_may_name_the_version_that_was_read(crm: Crm, approver: Actor) -> None:
    _apply(crm, _text())
    _apply(crm, _text(title="Hello there"))
    with pytest.raises(TemplateNotThere, match="read version 2"):
        _approve(crm, approver, number=1)
    _approve(crm, approver, number=2)
    assert _states(crm)[2] == "approved"


def test_a_retired_template_does_not_come_back_with_the_same_file_but_with_a_changed_one(
    crm: Crm, approver: Actor
) -> None:
    _apply(crm, _text())
    _approve(crm, approver)
    with crm.write(approver) as unit:
        service.retire(unit, "hello")
    assert _apply(crm, _text()).drafted == 0
    assert _approved(crm, approver) == []
    with pytest.raises(TemplateNotThere, match="change its file"):
        _approve(crm, approver)
    assert _apply(crm, _text(title="Hello there")).drafted == 1


def test_a_file_that_is_gone_takes_its_versions_out_of_use_and_comes_back_as_a_draft(crm: Crm, approver: Actor) -> None:
    _apply(crm, _text())
    _approve(crm, approver)
    _apply(crm, _text(title="Hello there"))
    assert _apply(crm).dropped == 2
    assert _states(crm) == {1: "retired", 2: "retired"}
    assert _apply(crm).dropped == 0
    assert _apply(crm, _text(title="Hello there")).drafted == 1
    assert _states(crm)[3] == "draft"


def test_each_language_is_approved_for_itself_and_english_stands_in(crm: Crm, approver: Actor) -> None:
    spanish = _text(file="templates/hello.es.md", language="es", title="Hola", body="Hola {{ patient.first_name }}.")
    _apply(crm, _text(), spanish)
    _approve(crm, approver)
    assert _approved(crm, approver, language="es") == [("hello", "en", 1)]
    _approve(crm, approver, language="es")
    assert _approved(crm, approver, language="es") == [("hello", "es", 1)]
    assert _approved(crm, approver, language="vi") == [("hello", "en", 1)]
    assert _approved(crm, approver) == [("hello", "en", 1)]


def test_what_may_be_sent_is_narrowed_by_channel_and_category(crm: Crm, approver: Actor) -> None:
    _apply(crm, _text(), _text(key="bill", file="b", categories=["billing"], channels=["email"]))
    _approve(crm, approver)
    _approve(crm, approver, "bill")
    assert _approved(crm, approver, channel=Channel.EMAIL) == [("bill", "en", 1)]
    assert _approved(crm, approver, category="other") == [("hello", "en", 1)]
    assert len(_approved(crm, approver)) == 2


def test_only_an_approver_approves_and_retires(crm: Crm, agent: Actor, staff: StaffFactory) -> None:
    _apply(crm, _text())
    for actor in (agent, staff(Role.ADMIN), staff(Role.SUPERVISOR)):
        with pytest.raises(NotPermitted):
            _approve(crm, actor)
        with pytest.raises(NotPermitted), crm.write(actor) as unit:
            service.retire(unit, "hello")


def test_an_unknown_key_is_not_found(crm: Crm, approver: Actor) -> None:
    for call in (service.approve, service.retire):
        with pytest.raises(NotFound), crm.write(approver) as unit:
            call(unit, "nothing_here")
    with pytest.raises(NotFound), crm.read(approver) as unit:
        queries.show(unit, "nothing_here")
    with pytest.raises(NotFound), crm.read(approver) as unit:
        queries.version(unit, 987_654_321)


def test_two_approvers_at_once_leave_one_version_approved(crm: Crm, staff: StaffFactory) -> None:
    _apply(crm, _text())
    both = [staff(Role.APPROVER), staff(Role.APPROVER)]
    ready = threading.Barrier(2)
    errors: list[CrmError] = []

    def run(actor: Actor) -> None:
        try:
            with crm.write(actor) as unit:
                if unit.dialect == "postgresql":
                    ready.wait(10)
                service.approve(unit, "hello")
        except CrmError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(actor,)) for actor in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert _states(crm) == {1: "approved"}


def test_a_view_is_what_the_file_said(crm: Crm) -> None:
    text = _text(
        channels=["sms", "email"], categories=["other", "form"], body="Hi. {{ personal }}", needs_personal=True
    )
    _apply(crm, text)
    view = _show(crm)[0]
    assert (view.title, view.purpose, view.body) == (text.title, text.purpose, text.body)
    assert (view.categories, view.channels, view.fields) == (text.categories, text.channels, ("personal",))
    assert view.needs_personal
    assert replace(view, number=9).number == 9
