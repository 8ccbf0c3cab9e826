"""The templates that ship: what the linter finds in them, and in worse ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from crm_core.library.checking import Codes, unknown_codes
from crm_core.library.lint import lint, uncovered
from crm_core.library.merge import SAMPLE, fill
from crm_core.library.reading import grade, syllables
from crm_core.library.section import SECTION, TemplatesSection, TemplateText
from crm_core.library.segments import segments
from crm_core.playbook.loader import load
from crm_core.playbook.problems import Caution, PlaybookErrors, Problem
from crm_core.sections import SECTIONS
from crm_core.words import Channel

SHIPPED = Path(__file__).parents[2] / "data" / "playbooks" / "primary_care" / "templates"
TODAY = date(2026, 11, 23)
CATEGORIES = frozenset(
    {
        "refill",
        "result_question",
        "scheduling",
        "billing",
        "clinical_advice",
        "form",
        "records_request",
        "referral",
        "complaint",
        "other",
    }
)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemplatesSection]:
    folder = tmp_path_factory.mktemp("playbook")
    (folder / "templates").symlink_to(SHIPPED)
    playbook = load(folder, [replace(SECTION, checks=())])
    yield playbook.section(TemplatesSection)


def _text(**changes: Any) -> TemplateText:
    plain = {
        "file": "templates/hello.md",
        "key": "hello",
        "title": "Hello",
        "categories": ["other"],
        "channels": ["sms"],
        "purpose": "Greets.",
        "review_months": 12,
        "body": "Hi {{ patient.first_name }}, this is {{ clinic.name }}.",
    }
    return TemplateText.model_validate({**plain, **changes})


def _found(*texts: TemplateText) -> list[Problem]:
    return list(lint(texts, today=TODAY))


def test_the_linter_finds_nothing_in_what_ships(shipped: TemplatesSection) -> None:
    assert _found(*shipped.templates) == []
    assert list(uncovered(shipped.templates, CATEGORIES)) == []


def test_every_category_has_two_templates_and_a_dozen_are_there_in_english(shipped: TemplatesSection) -> None:
    english = [text for text in shipped.templates if text.language == "en"]
    assert len(english) >= 18
    for category in CATEGORIES:
        assert sum(category in text.categories for text in english) >= 2, category


def test_the_texts_that_answer_first_exist_in_spanish_too(shipped: TemplatesSection) -> None:
    assert sum(text.language == "es" for text in shipped.templates) >= 6


def test_every_text_names_the_clinic_and_no_english_one_is_harder_than_grade_seven(shipped: TemplatesSection) -> None:
    for text in shipped.templates:
        assert "clinic.name" in text.fields or text.key == "other_youre_welcome", text.file
        if text.language == "en":
            assert grade(fill(text.key, text.body, SAMPLE)) <= 7, text.file


def test_a_text_that_asks_for_the_word_cancel_is_an_error() -> None:
    for body in ("Reply CANCEL to end.", "Text cancel if you cannot come.", 'Responda "cancelar" si no puede.'):
        (problem,) = _found(_text(body=body))
        assert "CANCEL" in problem.message
        assert not isinstance(problem, Caution)


def test_speaking_of_cancelling_is_allowed() -> None:
    assert _found(_text(body="We are sorry that we had to cancel your visit.")) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"body": "Cardiology will call you.", "channels": ["email"]}, "over email"),
        ({"body": "Hi [NAME], call us."}, "looks like a gap"),
        ({"body": "Hi {{ patient.full_name }}."}, "the full name"),
        ({"body": "Call us. " * 40}, "takes 3 text segments (GSM-7)"),
        ({"body": "Llámenos hoy. " * 12, "language": "es"}, "because of á"),
        ({"review_months": None, "review_due": "2026-11-22"}, "has passed"),
        (
            {"body": "Notwithstanding considerable complications, reimbursement authorization continues."},
            "reads at grade",
        ),
        ({"key": "hola", "language": "es"}, "no English variant"),
    ],
)
def test_what_is_legal_but_wrong_is_a_caution(changes: dict[str, Any], says: str) -> None:
    found = _found(_text(**changes))
    assert any(says in problem.message for problem in found), found
    assert all(isinstance(problem, Caution) for problem in found)


def test_the_portal_may_say_what_a_text_may_not() -> None:
    assert _found(_text(body="Your diabetes visit is due.", channels=["portal"])) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"body": "Your diabetes visit is due."}, "“diabetes” says something about health, over sms"),
        ({"body": "Your asthma visit.", "channels": ["email", "sms"]}, "over email, sms"),
        ({"body": "Hi \u202eana\u202c, call us."}, "2 signs that cannot be seen"),
    ],
)
def test_a_diagnosis_in_a_text_message_and_what_cannot_be_seen_are_errors(changes: dict[str, Any], says: str) -> None:
    (problem,) = _found(_text(**changes))
    assert says in problem.message
    assert not isinstance(problem, Caution)


def test_a_category_without_a_template_is_a_caution() -> None:
    (caution,) = uncovered([_text(categories=["othre"])], frozenset({"other"}))
    assert isinstance(caution, Caution)
    assert "no template answers the category other" in str(caution)


def test_a_category_or_outcome_that_the_playbook_does_not_have_is_an_error() -> None:
    codes = Codes(categories=frozenset({"other"}), outcomes=frozenset({"resolved"}))
    wrong = _text(categories=["other", "othre"], then={"close": "done"})
    assert [problem.key for problem in unknown_codes(wrong, codes)] == ["categories[1]", "then.close"]
    assert list(unknown_codes(_text(then={"close": "resolved"}), codes)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "Hi {first_name}"},
        {"body": "{{ patient.mrn }}"},
        {"body": "  "},
        {"review_months": None},
        {"review_due": "2027-01-01"},
        {"needs_personal": True},
        {"body": "{{ personal }}"},
        {"channels": []},
        {"channels": ["sms", "sms"]},
        {"channels": ["fax"]},
        {"language": "english"},
        {"key": "Hello There"},
        {"colour": "green"},
    ],
)
def test_a_file_that_does_not_hold_together_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _text(**changes)


def test_the_same_key_twice_in_one_language_is_refused_and_both_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    source = (SHIPPED / "form_ready.md").read_text()
    (tmp_path / "templates" / "a.md").write_text(source)
    (tmp_path / "templates" / "b.md").write_text(source)
    with pytest.raises(PlaybookErrors) as caught:
        load(tmp_path, [SECTION])
    assert "templates/a.md" in str(caught.value.problems[0])
    assert "templates/b.md" in str(caught.value.problems[0])


def test_a_digest_follows_the_content_and_not_the_name_of_the_file() -> None:
    assert _text().digest() == _text(file="templates/other.md").digest()
    assert _text().digest() != _text(title="Hello!").digest()


def test_every_shipped_text_message_fits_two_segments_with_long_values(shipped: TemplatesSection) -> None:
    for text in shipped.templates:
        if Channel.SMS in text.channels:
            assert segments(fill(text.key, text.body, SAMPLE)).count <= 2, text.file


@pytest.mark.parametrize(
    ("word", "count"),
    [("the", 1), ("refill", 2), ("pharmacy", 3), ("late", 1), ("sorted", 2), ("called", 1), ("hmm", 1)],
)
def test_syllables_are_counted_about_right(word: str, count: int) -> None:
    assert syllables(word) == count


def test_a_plain_text_reads_easier_than_an_official_one() -> None:
    plain = "We got your note. A nurse will call you today. Please keep your phone near you."
    official = "Your correspondence has been received and will be evaluated by clinical personnel immediately."
    assert grade(plain) < 4
    assert grade(official) > 12
    assert grade("") == 0


def test_a_playbook_whose_template_names_a_missing_category_or_outcome_is_not_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "playbook"
    shutil.copytree(SHIPPED.parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "templates" / "other_youre_welcome.md"
    file.write_text(file.read_text().replace('"resolved"', '"solved"').replace('["other"]', '["othre"]'))
    with pytest.raises(PlaybookErrors) as refused:
        load(folder, SECTIONS)
    said = [str(problem) for problem in refused.value.problems]
    assert [one.partition("; there are")[0] for one in said] == [
        "templates/other_youre_welcome.md:4: categories[0]: there is no category othre",
        "templates/other_youre_welcome.md:9: then.close: there is no outcome solved",
    ]
