"""Random keys are useless without the master, and keep their side."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from crm_core.clock import ShiftedClock
from crm_core.errors import WrongKey
from crm_core.vault.fields import Field
from crm_core.vault.keys import Key
from crm_core.vault.sealed import Sealed
from crm_core.vault.sealing import Tampered
from crm_core.vault.vault import SignsNothing, UnknownKey, Vault, VaultEmpty, VaultExists
from crm_core.vault.wrapping import IN_STORE, KeyUnreadable, Purpose, WrappedKey, rewrap, unwrap, wrap
from tests.vault.conftest import ListKeyStore


def test_a_new_vault_makes_one_key_for_each_purpose(keystore: ListKeyStore, master: Key, clock: ShiftedClock) -> None:
    Vault.create(keystore, master, clock)
    assert [key.purpose for key in keystore.keys] == list(IN_STORE)
    assert [key.id for key in keystore.keys] == [1, 2, 3, 4]
    assert {key.created_at for key in keystore.keys} == {clock.now()}


def test_a_second_vault_is_not_made_over_the_first(keystore: ListKeyStore, master: Key, clock: ShiftedClock) -> None:
    Vault.create(keystore, master, clock)
    with pytest.raises(VaultExists):
        Vault.create(keystore, master, clock)
    assert len(keystore.keys) == len(IN_STORE)


def test_a_wrong_master_is_said_in_one_sentence(keystore: ListKeyStore, master: Key, clock: ShiftedClock) -> None:
    Vault.create(keystore, master, clock)
    with pytest.raises(WrongKey) as caught:
        Vault.open_existing(keystore, Key.random())
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 4


def test_one_altered_key_is_told_from_a_wrong_master(keystore: ListKeyStore, master: Key, clock: ShiftedClock) -> None:
    Vault.create(keystore, master, clock)
    broken = keystore.keys[2]
    keystore.keys[2] = replace(broken, wrapped=broken.wrapped[:-1] + bytes([broken.wrapped[-1] ^ 1]))
    with pytest.raises(KeyUnreadable, match="3"):
        Vault.open_existing(keystore, master)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_wrapped_key_opens_under_its_own_purpose_and_id_alone(master: Key, purpose: Purpose) -> None:
    key = Key.random()
    wrapped = wrap(master, purpose, 3, key)
    assert unwrap(master, purpose, 3, wrapped) == key
    for other in set(Purpose) - {purpose}:
        with pytest.raises(WrongKey):
            unwrap(master, other, 3, wrapped)
    with pytest.raises(WrongKey):
        unwrap(master, purpose, 4, wrapped)


def test_an_empty_key_store_says_what_is_missing(keystore: ListKeyStore, master: Key) -> None:
    with pytest.raises(VaultEmpty, match="crm init"):
        Vault.open_existing(keystore, master)


def test_rewrapping_changes_the_master_and_no_data(keystore: ListKeyStore, master: Key, clock: ShiftedClock) -> None:
    blob = Vault.create(keystore, master, clock).seal(Field.NOTE_BODY, 1, "kept")
    new = Key.random()
    rewrap(keystore, master, new)
    assert Vault.open_existing(keystore, new).open(Sealed(Field.NOTE_BODY, 1, blob)) == "kept"
    with pytest.raises(WrongKey):
        Vault.open_existing(keystore, master)


def test_rewrapping_with_a_wrong_master_changes_nothing(
    keystore: ListKeyStore, master: Key, clock: ShiftedClock
) -> None:
    Vault.create(keystore, master, clock)
    before = list(keystore.keys)
    with pytest.raises(WrongKey):
        rewrap(keystore, Key.random(), Key.random())
    assert keystore.keys == before


def test_a_retired_key_still_opens_while_a_newer_one_seals(
    keystore: ListKeyStore, master: Key, clock: ShiftedClock
) -> None:
    old = Vault.create(keystore, master, clock)
    blob = old.seal(Field.NOTE_BODY, 1, "old")
    mac = old.audit_mac(old.current_audit_key, b"row")
    clock.move(timedelta(days=1))
    keystore.keys = [replace(key, retired_at=clock.now()) for key in keystore.keys]
    for key_id, purpose in enumerate(IN_STORE, start=5):
        wrapped = wrap(master, purpose, key_id, Key.random())
        keystore.add(WrappedKey(id=key_id, purpose=purpose, wrapped=wrapped, created_at=clock.now()))
    new = Vault.open_existing(keystore, master)
    assert new.open(Sealed(Field.NOTE_BODY, 1, blob)) == "old"
    assert new.audit_mac(old.current_audit_key, b"row") == mac
    assert new.current_audit_key == 7
    with pytest.raises(Tampered):
        old.open(Sealed(Field.NOTE_BODY, 1, new.seal(Field.NOTE_BODY, 1, "new")))


def test_only_a_vault_opened_for_signing_signs(keystore: ListKeyStore, master: Key, clock: ShiftedClock) -> None:
    console = Vault.create(keystore, master, clock)
    poller = Vault.open_existing(keystore, master, signing=True)
    with pytest.raises(SignsNothing):
        console.sign(b"heads")
    key_id, signature = poller.sign(b"heads")
    assert console.signed(key_id, b"heads", signature)
    assert not console.signed(key_id, b"tails", signature)
    assert not console.signed(key_id + 1, b"heads", signature)


def test_an_unknown_audit_key_is_an_error_of_ours(vault: Vault) -> None:
    with pytest.raises(UnknownKey):
        vault.audit_mac(99, b"row")


def test_a_key_tells_nothing_of_itself() -> None:
    key = Key.random()
    shown = f"{key} {key!r} {[key]} {key!s}"
    assert key.hex() not in shown
    assert repr(bytes(key)) not in shown
    with pytest.raises(ValueError, match="32"):
        Key(b"short")
