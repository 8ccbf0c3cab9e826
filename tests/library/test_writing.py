"""Writing, reviewing and approving in the store, on both stores."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.app import Crm
from crm_core.clock import ShiftedClock
from crm_core.errors import CrmError, NotPermitted, Stale, UsageError
from crm_core.library import queries, service, writing
from crm_core.library.applying import Imported, import_from_playbook
from crm_core.library.checking import findings, mistakes
from crm_core.library.files import TemplateErrors, as_file, read_files, text_of
from crm_core.library.macro import Then, ThenTask
from crm_core.library.model import Origin, RetiredBecause, Variants
from crm_core.library.section import TemplatesSection
from crm_core.library.service import AuthorApproves, TemplateNotThere
from crm_core.library.writing import ThereAlready
from crm_core.playbook.loader import Playbook
from tests.conftest import StaffFactory
from tests.inbox.looking import audited
from tests.library.conftest import Library, text


def _apply(crm: Crm, *texts: dict[str, object], actor: Actor = SYSTEM) -> Imported:
    section = TemplatesSection(templates=tuple(text(**each) for each in texts))
    with crm.write(actor) as unit:
        return import_from_playbook(unit, Playbook(name="test", content={}, sections={TemplatesSection: section}))


def test_what_somebody_writes_is_a_draft_of_theirs_and_may_be_sent_once_another_approved_it(library: Library) -> None:
    library.write()
    (view,) = library.versions()
    assert (view.state, view.origin, view.author_id) == ("draft", Origin.WRITTEN, library.author.staff_id)
    library.do(library.author, service.submit, "hello")
    library.approve()
    assert [each.key for each in library.see(queries.approved)] == ["hello"]


def test_a_new_version_is_written_above_the_one_that_was_read(library: Library) -> None:
    library.write()
    library.approve()
    library.write(above=1, title="Hello there")
    assert library.states() == {1: "approved", 2: "draft"}
    with pytest.raises(Stale, match="hello"):
        library.write(above=1, title="Hello you")
    with pytest.raises(ThereAlready, match="hello"):
        library.write()
    library.approve()
    assert library.states() == {1: "retired", 2: "approved"}


def test_writing_what_the_newest_version_says_already_changes_nothing(library: Library) -> None:
    assert len(library.write().drafted) == 1
    assert library.write(above=1).drafted == ()
    assert library.states() == {1: "draft"}


def test_a_template_that_was_taken_out_of_use_comes_back_when_it_is_written_again(library: Library) -> None:
    library.write()
    library.do(library.approver, service.retire, "hello")
    library.write(above=1)
    assert library.states() == {1: "retired", 2: "draft"}


def test_an_author_does_not_approve_their_own_version_whatever_roles_they_hold(
    library: Library, staff: StaffFactory
) -> None:
    everything = staff(*Role)
    library.write(actor=everything)
    with pytest.raises(AuthorApproves, match="another approver") as refused:
        library.do(everything, service.approve, "hello")
    assert refused.value.exit_code == 1
    assert library.states() == {1: "draft"}
    library.approve()
    with pytest.raises(AuthorApproves):
        library.do(everything, service.approve, "hello")


def test_who_applied_the_playbook_is_the_author_of_its_files(library: Library, crm: Crm, staff: StaffFactory) -> None:
    both = staff(Role.ADMIN, Role.APPROVER)
    _apply(crm, {}, actor=both)
    with pytest.raises(AuthorApproves):
        library.do(both, service.approve, "hello")
    _apply(crm, {"title": "Hello there", "body": "Hello, we are here for you."})
    library.do(both, service.approve, "hello")
    assert library.states() == {1: "retired", 2: "approved"}


def test_a_colleague_who_only_moves_the_review_date_does_not_clear_the_authors_way(
    library: Library, staff: StaffFactory
) -> None:
    writes_and_approves = staff(Role.NURSE, Role.APPROVER)
    library.write(actor=writes_and_approves)
    library.write(above=1, review_months=6)
    with pytest.raises(AuthorApproves):
        library.do(writes_and_approves, service.approve, "hello")
    library.approve()


@pytest.mark.parametrize("role", [Role.AGENT, Role.PHYSICIAN, Role.APPROVER, Role.PRIVACY])
def test_who_may_not_write_is_refused(library: Library, staff: StaffFactory, role: Role) -> None:
    with pytest.raises(NotPermitted, match="write templates"):
        library.write(actor=staff(role))


def test_an_approver_sends_it_back_with_a_remark_that_goes_with_the_next_submitting(library: Library) -> None:
    library.write()
    library.do(library.author, service.submit, "hello")
    library.do(library.approver, service.send_back, "hello", remark=" Say who we are.\x1b ", number=1)
    (view,) = library.versions()
    assert (view.state, view.remark) == ("draft", "Say who we are.")
    assert audited(library.crm)[-1]["tag"] == "template:version:sent_back"
    with pytest.raises(TemplateNotThere, match="only what is in review"):
        library.do(library.approver, service.send_back, "hello", remark="Again.")
    library.do(library.author, service.submit, "hello")
    assert library.versions()[0].remark is None
    for remark in ("", "   ", "x" * 501):
        with pytest.raises(UsageError, match="1 to 500 characters"):
            library.do(library.approver, service.send_back, "hello", remark=remark)


def test_what_the_linter_finds_wrong_is_kept_as_a_draft_and_neither_submitted_nor_approved(library: Library) -> None:
    library.write(body="Reply CANCEL to end.")
    library.write(above=1, body="Your diabetes visit is due.")
    for step, actor in ((service.submit, library.author), (service.approve, library.approver)):
        with pytest.raises(TemplateErrors, match="diabetes") as refused:
            library.do(actor, step, "hello")
        assert refused.value.exit_code == 2
    assert library.states() == {1: "retired", 2: "draft"}
    library.write(above=2, body="Your visit is due. " * 20)
    library.do(library.author, service.submit, "hello")
    found = library.see(findings, library.versions()[0])
    assert "3 text segments" in str(found[0])
    assert mistakes(found) == ()


def test_a_text_that_names_what_the_playbook_does_not_have_is_refused_with_every_mistake(library: Library) -> None:
    with pytest.raises(TemplateErrors) as refused:
        library.write(categories=["othre"], then={"close": "done"})
    assert [problem.key for problem in refused.value.problems] == ["categories[0]", "then.close"]


def test_of_two_who_write_above_the_same_version_one_is_told(library: Library, crm: Crm) -> None:
    library.write()
    ready, errors = threading.Barrier(2), []

    def run(title: str) -> None:
        try:
            with crm.write(library.author) as unit:
                if unit.dialect == "postgresql":
                    ready.wait(10)
                writing.write(unit, text(title=title), above=1)
        except CrmError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(title,)) for title in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [type(error) for error in errors] == [Stale]
    assert library.states() == {1: "retired", 2: "draft"}


def test_a_file_that_has_not_changed_does_not_undo_what_was_written_since(library: Library, crm: Crm) -> None:
    _apply(crm, {})
    library.approve()
    library.write(above=1, title="Hello there")
    library.approve()
    assert _apply(crm, {}) == Imported(drafted=0, unchanged=1, dropped=0)
    assert library.states() == {1: "retired", 2: "approved"}
    assert _apply(crm, {"title": "Hello there"}).drafted == 0
    assert _apply(crm, {"title": "Hello, all"}).drafted == 1
    assert library.states() == {1: "retired", 2: "approved", 3: "draft"}


def test_what_was_never_a_file_is_not_retired_for_want_of_one(library: Library, crm: Crm) -> None:
    library.write()
    library.approve()
    assert _apply(crm).dropped > 0
    assert library.states() == {1: "approved"}
    assert {view.retired_because for view in library.versions("form_ready")} == {RetiredBecause.DROPPED}


def test_reviews_that_come_within_thirty_days_are_listed_earliest_first(library: Library, clock: ShiftedClock) -> None:
    for key, months in (("later", 3), ("soon", 2), ("sooner", 1)):
        library.write(key=key, review_months=months)
        library.approve(key)
    assert [view.key for view in library.see(queries.due_for_review)] == ["sooner"]
    clock.move(timedelta(days=31))
    assert [view.key for view in library.see(queries.due_for_review)] == ["sooner", "soon"]
    assert library.see(queries.due_for_review)[0].review_due == date(2026, 12, 23)
    assert [view.key for view in library.see(queries.due_for_review, within=timedelta(0))] == ["sooner"]


def test_the_languages_say_which_may_be_sent_which_wait_and_which_are_missing(library: Library) -> None:
    library.write()
    library.approve()
    library.write(language="es", body="Hola.")
    found = {each.key: each for each in library.see(queries.variants)}
    assert found["hello"] == Variants(key="hello", ready=("en",), waiting=("es",), missing=())
    assert found["form_ready"] == Variants(key="form_ready", ready=(), waiting=("en",), missing=("es",))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"title": 'He said "hi" \\ é', "channels": ["sms", "portal"], "language": "es"},
        {"review_months": None, "review_due": "2027-03-01"},
        {"body": "One.\n\n+++\n{{ personal }}", "needs_personal": True},
        {"then": {"close": "resolved", "task": {"title": "Call again", "due": "1d"}}},
        {"then": {"snooze": "2d"}},
    ],
)
def test_a_version_as_a_file_reads_back_as_the_same_version(library: Library, changes: dict[str, object]) -> None:
    written = text(**changes)
    library.do(library.author, writing.write, written, above=None)
    view = library.versions(language=None)[0]
    (back,) = read_files({"anything.md": as_file(view)})
    assert back.digest() == written.digest() == text_of(view).digest()


def test_a_macro_is_kept_with_its_version_and_said_in_words(library: Library) -> None:
    library.write(then={"close": "resolved", "task": {"title": "Call again", "due": "1d"}})
    then = library.versions()[0].then
    assert then == Then(close="resolved", task=ThenTask(title="Call again", due="1d"))
    assert str(then) == "closes as resolved; makes the task “Call again”, due in 1 day"
    assert str(Then(snooze="2d")) == "snoozes for 2 days, or until the patient writes"


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ({}, "says nothing"),
        ({"close": "resolved", "snooze": "2d"}, "either close or snooze"),
        ({"snooze": "soon"}, "no span"),
        ({"snooze": "9999d"}, "more than a year"),
        ({"task": {"title": " ", "due": "1d"}}, "at least 1 character"),
        ({"task": {"title": "Call"}}, "Field required"),
        ({"escalate": "nurse"}, "not permitted"),
    ],
)
def test_a_macro_that_does_not_hold_together_is_refused(then: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        text(then=then)


def test_every_mistake_of_several_files_is_named_with_its_file_and_line() -> None:
    matter = 'key = "a_b"\ntitle = "T"\ncategories = ["other"]\nchannels = ["sms"]\npurpose = "P."\nreview_months = 1'
    good = f"+++\n{matter}\n+++\nHi.\n"
    with pytest.raises(TemplateErrors) as refused:
        read_files(
            {
                "one.md": good.replace('"sms"', '"fax"'),
                "two.md": good.replace("Hi.", "Hi.\n{{ patient.mrn }} {{ x }}"),
                "three.md": "Hello",
                "four.md": good,
            }
        )
    said = [str(problem) for problem in refused.value.problems]
    assert said[0].startswith("one.md:5: channels[0]: input should be 'sms'")
    assert said[1] == "three.md:1: must begin with TOML between two lines of +++"
    assert said[2].startswith("two.md:10: body: there is no field patient.mrn; the fields are")
    assert said[3].startswith("two.md:10: body: there is no field x;")
    assert len(said) == 4
    assert str(refused.value).startswith("There are 4 mistakes to mend, the first in one.md:5")
