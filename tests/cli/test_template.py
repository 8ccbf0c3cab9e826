"""The library from the command line: written, reviewed, approved, taken out as files and brought in again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Caller

MATTER = """title = "Hello"
categories = ["other"]
channels = ["sms"]
language = "en"
purpose = "Greets."
review_months = 12"""


def file(
    body: str = "Hi {{ patient.first_name }}, we are here if you need us.", key: str = "hello", more: str = ""
) -> str:
    return f'+++\nkey = "{key}"\n{MATTER}\n{more}+++\n{body}\n'


def test_a_template_is_written_submitted_and_not_approved_by_who_wrote_it(crm_home: Caller) -> None:
    made = crm_home.done("template", "new", "hello", stdin=file())
    assert made == {"drafted": 1, "unchanged": 0, "findings": []}
    assert crm_home.done("template", "submit", "hello")["state"] == "in_review"
    refused = crm_home("template", "approve", "hello")
    assert refused.code == 1
    assert "another approver must approve it" in refused.err
    assert crm_home.done("template", "back", "hello", "--remark", "Say who we are.")["state"] == "draft"
    (shown,) = crm_home.done("template", "show", "hello")
    assert (shown["remark"], shown["origin"]) == ("Say who we are.", "written")


def test_a_second_version_is_written_from_the_first_and_their_difference_is_shown(crm_home: Caller) -> None:
    crm_home.done(
        "template", "edit", "refill_received", stdin=crm_home_file(crm_home, "refill_received", "Hi", "Hello")
    )
    lines = crm_home.done("template", "diff", "refill_received")["lines"]
    assert [line[:7] for line in lines if line[0] != " "] == ["- Hi {{", "+ Hello"]
    shown = crm_home("template", "diff", "refill_received").out.splitlines()
    assert shown[0] == "version 1 and version 2"
    assert shown[1:] == [f"  {line}".rstrip() for line in lines]
    again = crm_home("template", "new", "refill_received", stdin=file(key="refill_received"))
    assert again.code == 2
    assert "edit that one" in again.err


def crm_home_file(call: Caller, key: str, before: str, after: str) -> str:
    folder = call.home.parent / "out"
    call.done("template", "export", str(folder), "--key", key)
    return (folder / f"{key}.md").read_text().replace(before, after, 1)


def test_what_is_exported_is_imported_again_without_a_new_version(crm_home: Caller, tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    exported = crm_home.done("template", "export", str(folder))
    assert len(exported["written"]) >= 30
    assert (folder / "refill_received.es.md").is_file()
    assert crm_home.done("template", "export", str(folder)) == {"written": [], "unchanged": len(exported["written"])}
    shipped = Path(__file__).parents[2] / "data" / "playbooks" / "primary_care" / "templates" / "refill_received.md"
    assert (folder / "refill_received.md").read_text() == shipped.read_text()
    imported = crm_home.done("template", "import", str(folder))
    assert (imported["drafted"], imported["unchanged"]) == (0, len(exported["written"]))


def test_export_overwrites_nothing_and_follows_no_link(crm_home: Caller, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "templates", tmp_path / "elsewhere.md"
    folder.mkdir()
    elsewhere.write_text("mine")
    (folder / "refill_received.md").symlink_to(elsewhere)
    for target in (folder, tmp_path / "link", tmp_path / "no" / "where", elsewhere, Path("/dev/full")):
        if target.name == "link":
            target.symlink_to(folder)
        refused = crm_home("template", "export", str(target))
        assert refused.code in (2, 4), target
        assert len(refused.err.splitlines()) == 1
    assert elsewhere.read_text() == "mine"
    assert [entry.name for entry in folder.iterdir()] == ["refill_received.md"]
    os.mkfifo(folder / "refill_done.md")
    assert crm_home("template", "export", str(folder), "--key", "refill_done").code == 2


def test_import_names_every_mistake_and_makes_nothing(crm_home: Caller, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(file(body="Hi {{ patient.mrn }}."))
    (tmp_path / "b.md").write_text(file(key="b b"))
    (tmp_path / "c.md").write_text(file(key="fine"))
    answer = crm_home(
        "template", "import", str(tmp_path / "a.md"), str(tmp_path / "b.md"), str(tmp_path / "c.md"), "--json"
    )
    assert answer.code == 1
    assert [(Path(each["file"]).name, each["line"], each["key"]) for each in answer.json["errors"]] == [
        ("a.md", 10, "body"),
        ("b.md", 2, "key"),
    ]
    unread = crm_home("template", "import", str(tmp_path / "nowhere.md"), str(tmp_path / "home"), "--json")
    assert [each["message"] for each in unread.json["errors"]] == ["is not there", "holds no template, a file *.md"]
    assert crm_home("template", "show", "fine").code == 1
    (tmp_path / "d.md").write_text(file(key="fine", more='then = { close = "nonesuch" }\n'))
    (problem,) = crm_home("template", "import", str(tmp_path / "d.md"), "--json").json["errors"]
    assert problem["message"].startswith("there is no outcome nonesuch; there are ")


def test_lint_tells_what_is_wrong_by_its_exit_code_and_submit_refuses_it(crm_home: Caller) -> None:
    assert crm_home.done("template", "lint") == []
    made = crm_home.done("template", "new", "hello", stdin=file(body="Text CANCEL to end."))
    assert "opts a number out" in made["findings"][0]["message"]
    found = crm_home("template", "lint", "hello", "--json")
    assert found.code == 1
    assert [each["kind"] for each in found.json] == ["wrong"]
    refused = crm_home("template", "submit", "hello")
    assert refused.code == 2
    assert "hello.md: body: asks for the word CANCEL" in refused.err


def test_a_text_under_another_name_is_refused(crm_home: Caller) -> None:
    refused = crm_home("template", "new", "hello", stdin=file(key="goodbye"))
    assert refused.code == 2
    assert "says it is goodbye (en), not hello (en)" in refused.err


def test_languages_reviews_and_uses_are_listed(crm_home: Caller) -> None:
    found = {row["template"]: row for row in crm_home.done("template", "variants")}
    assert found["form_ready"] == {"template": "form_ready", "approved": [], "waiting": ["en"], "missing": ["es"]}
    assert crm_home.done("template", "reviews") == []
    crm_home.done("template", "approve", "form_ready")
    assert [row["template"] for row in crm_home.done("template", "reviews", "--days", "400")] == ["form_ready"]
    assert {row["sent"] for row in crm_home.done("template", "uses")} == {0}


@pytest.mark.parametrize("arguments", [("diff", "hello"), ("edit", "hello"), ("export", "x", "--key", "hello")])
def test_an_unknown_template_is_not_found(crm_home: Caller, arguments: tuple[str, ...]) -> None:
    answer = crm_home("template", *arguments)
    assert answer.code == 1
    assert "No template hello" in answer.err
