"""Ids carry their kind."""

from __future__ import annotations

import pytest

from crm_tui.ids import BadId, Kind, conversation_id, patient_id, read_id, show_id


def test_an_id_is_shown_with_its_kind_and_read_back_in_any_case() -> None:
    assert show_id(Kind.PATIENT, 12) == "P-12"
    assert show_id(Kind.CONVERSATION, None) is None
    assert patient_id("p-12") == 12
    assert conversation_id(" C-1042 ") == 1042
    assert read_id("T-7") == (Kind.TASK, 7)


@pytest.mark.parametrize("text", ["", "12", "C12", "C-0", "C-01", "C--1", "P-3", "C-1;", "C-1٣", "C-" + "9" * 19])
def test_what_is_no_conversation_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadId, match="C-12") as refused:
        conversation_id(text)
    assert refused.value.exit_code == 2
