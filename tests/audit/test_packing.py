"""Ids go into a row and come out again, and a long list stays short."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.audit.packing import pack, unpack
from crm_core.audit.tags import Tag

ROW_ID = st.integers(min_value=0, max_value=2**63 - 1)


@given(ids=st.lists(ROW_ID, max_size=60) | st.lists(st.integers(0, 30), max_size=200))
def test_packed_ids_come_out_in_order_and_whole(ids: list[int]) -> None:
    assert unpack(pack(ids)) == tuple(ids)


def test_a_page_of_neighbours_packs_into_a_few_characters() -> None:
    assert pack(range(1_000, 1_200)) == "d1000,1x199"
    assert pack((12, 7)) == "[12,7]"
    assert pack(()) == "[]"


@pytest.mark.parametrize("text", ["", "12", "x", "[a]", "d", "d1,,2"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"packed ids|invalid literal"):
        unpack(text)


@pytest.mark.parametrize("tag", list(Tag))
def test_a_tag_is_subject_thing_and_verb(tag: Tag) -> None:
    subject, thing, verb = tag.value.split(":")
    assert subject == tag.subject
    assert all(part.isidentifier() for part in (subject, thing, verb))
    assert len(tag.value) <= 64
