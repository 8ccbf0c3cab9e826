"""On which line a key stands, in every way TOML can spell it."""

from __future__ import annotations

import tomllib
from importlib.resources.abc import Traversable
from typing import Any

import pytest

from crm_core.playbook.lines import lines_of
from crm_core.playbook.problems import KeyPath, key_path, key_text
from crm_core.playbook.reading import read_texts
from crm_core.playbook.shipped import names, shipped

DOCUMENT = '''\
# [not.a.table]
title = "a = 1 # no comment [x]"
text = """
key = "inside a string"
[[nor.a.table]]
"""
raw = \'\'\'
'' = "
\'\'\'
dotted . "quoted key".last = 1
list = [ # one
  "a,b",   # two
  [1, 2],
  { name = "x", inner = { deep = [
      true,
  ] } },
]
[table]  # comment
[table.sub]
when = 2026-11-23T10:00:00Z
[[many]]
x = 1
[[many]]
x = 2
[many.under]
y = -1.5e3
[[many.part]]
z = \'\'
[[many.part]]
z = "\\\\"
'''


def paths(data: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Every place in parsed data."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return {path} - {()} | {found for key, value in items for found in paths(value, (*path, key))}


def test_every_key_has_its_line() -> None:
    found = lines_of(DOCUMENT)
    assert {key_text(path): line for path, line in found.items()} == {
        "title": 2,
        "text": 3,
        "raw": 7,
        "dotted.quoted key.last": 10,
        "list": 11,
        "list[0]": 12,
        "list[1]": 13,
        "list[1][0]": 13,
        "list[1][1]": 13,
        "list[2]": 14,
        "list[2].name": 14,
        "list[2].inner": 14,
        "list[2].inner.deep": 14,
        "list[2].inner.deep[0]": 15,
        "table": 18,
        "table.sub": 19,
        "table.sub.when": 20,
        "many": 21,
        "many[0]": 21,
        "many[0].x": 22,
        "many[1]": 23,
        "many[1].x": 24,
        "many[1].under": 25,
        "many[1].under.y": 26,
        "many[1].part": 27,
        "many[1].part[0]": 27,
        "many[1].part[0].z": 28,
        "many[1].part[1]": 29,
        "many[1].part[1].z": 30,
    }


@pytest.mark.parametrize("name", names())
def test_every_place_in_the_shipped_files_is_found(name: str) -> None:
    folder: Traversable = shipped(name)
    texts, _ = read_texts(folder)
    tomls = {file: text for file, text in texts.items() if file.endswith(".toml")}
    assert tomls
    for file, text in tomls.items():
        found = lines_of(text)
        above = {path[:end] for path in found for end in range(1, len(path))}
        assert paths(tomllib.loads(text)) <= found.keys() | above, file


def test_a_key_can_be_written_and_read_back() -> None:
    path = ("lane", 2, "owner")
    assert key_text(path) == "lane[2].owner"
    assert key_path("lane[2].owner") == path
    assert key_path("") == ()
