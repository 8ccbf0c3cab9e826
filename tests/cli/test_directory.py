"""`crm directory`."""

from __future__ import annotations

from tests.cli.conftest import Caller


def test_a_service_is_found_by_its_name_in_another_language(crm_home: Caller) -> None:
    first = crm_home.done("directory", "find", "analisis", "de", "sangre")[0]
    assert (first["service"], first["phone"]) == ("lab", "212-555-0110")
    assert crm_home.done("directory", "find", "zeppelin") == []
    nothing = crm_home("directory", "find", "zeppelin")
    assert (nothing.code, nothing.out) == (0, "No service answers to this.\n")


def test_all_are_listed_by_title(crm_home: Caller) -> None:
    listed = crm_home.done("directory", "list")
    titles = [one["title"] for one in listed]
    assert len(titles) >= 12
    assert titles == sorted(titles, key=str.casefold)
