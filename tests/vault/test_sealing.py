"""Sealed values open where they were sealed, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crm_core.clock import ShiftedClock
from crm_core.vault.fields import Field
from crm_core.vault.keys import Key
from crm_core.vault.sealed import Sealed, Shown
from crm_core.vault.sealing import Tampered
from crm_core.vault.vault import Vault
from tests.vault.conftest import ListKeyStore

ANY_TEXT = st.text(st.characters(exclude_categories=()))
ROW_ID = st.integers(min_value=0, max_value=2**63 - 1)
FIELD = st.sampled_from(list(Field))


@given(text=ANY_TEXT, row_id=ROW_ID, field=FIELD)
def test_a_sealed_text_opens_to_itself_whatever_its_characters(
    vault: Vault, text: str, row_id: int, field: Field
) -> None:
    opened = vault.open(Sealed(field, row_id, vault.seal(field, row_id, text)))
    assert opened == text
    assert type(opened) is Shown


@given(row_id=ROW_ID, other_id=ROW_ID, field=FIELD, other_field=FIELD)
def test_a_ciphertext_moved_to_another_row_or_column_does_not_open(
    vault: Vault, row_id: int, other_id: int, field: Field, other_field: Field
) -> None:
    assume((row_id, field) != (other_id, other_field))
    blob = vault.seal(field, row_id, "Rosalind")
    with pytest.raises(Tampered):
        vault.open(Sealed(other_field, other_id, blob))


@given(data=st.data())
def test_any_flipped_bit_is_noticed(vault: Vault, data: st.DataObject) -> None:
    blob = bytearray(vault.seal(Field.NOTE_BODY, 7, "asked twice about the bill"))
    bit = data.draw(st.integers(min_value=0, max_value=len(blob) * 8 - 1))
    blob[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Tampered):
        vault.open(Sealed(Field.NOTE_BODY, 7, bytes(blob)))


@given(blob=st.binary(max_size=80))
def test_bytes_that_were_never_sealed_do_not_open(vault: Vault, blob: bytes) -> None:
    with pytest.raises(Tampered):
        vault.open(Sealed(Field.MESSAGE_BODY, 1, blob))


def test_a_truncated_or_extended_ciphertext_does_not_open(vault: Vault) -> None:
    blob = vault.seal(Field.MESSAGE_BODY, 1, "refill please")
    for broken in [*(blob[:length] for length in range(len(blob))), blob + b"\0"]:
        with pytest.raises(Tampered):
            vault.open(Sealed(Field.MESSAGE_BODY, 1, broken))


def test_null_stays_null_and_the_empty_text_is_a_text(vault: Vault) -> None:
    assert vault.open(Sealed(Field.NOTE_BODY, 1, None)) is None
    assert vault.open(Sealed(Field.NOTE_BODY, 1, vault.seal(Field.NOTE_BODY, 1, ""))) == ""


def test_equal_texts_have_different_ciphertexts(vault: Vault) -> None:
    assert vault.seal(Field.PATIENT_FAMILY, 1, "Lee") != vault.seal(Field.PATIENT_FAMILY, 1, "Lee")


def test_the_error_names_the_row_and_holds_no_value(vault: Vault) -> None:
    blob = vault.seal(Field.PATIENT_FAMILY, 4, "Featherstonehaugh")
    with pytest.raises(Tampered) as caught:
        vault.open(Sealed(Field.PATIENT_FAMILY, 5, blob))
    assert "patient 5" in str(caught.value)
    assert "Feather" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.exit_code == 1


def test_another_store_under_the_same_master_opens_nothing(
    vault: Vault, master: Key, keystore: ListKeyStore, clock: ShiftedClock
) -> None:
    other = Vault.create(keystore, master, clock)
    with pytest.raises(Tampered):
        other.open(Sealed(Field.NOTE_BODY, 1, vault.seal(Field.NOTE_BODY, 1, "x")))


@pytest.mark.parametrize("field", list(Field))
def test_every_field_names_the_record_that_it_shows(field: Field) -> None:
    assert field.kind
