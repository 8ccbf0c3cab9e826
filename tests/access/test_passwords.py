"""Passwords: what is stored, and what fits it."""

from __future__ import annotations

import pytest

from crm_core.access.passwords import WeakPassword, fits, hash_password


def test_a_password_is_stored_as_argon2id_with_the_promised_cost_and_fits_only_itself() -> None:
    encoded = hash_password("tea kettle marathon")
    assert encoded.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert "tea" not in encoded
    assert fits("tea kettle marathon", encoded)
    assert not fits("tea kettle marathom", encoded)


def test_the_same_password_typed_with_composed_or_decomposed_letters_fits() -> None:
    assert fits("Cafe\u0301 um die Ecke", hash_password("Caf\u00e9 um die Ecke"))


def test_an_account_without_a_password_is_never_fitted() -> None:
    assert not fits("", None)
    assert not fits("tea kettle marathon", None)


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_a_password_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        hash_password(password)
    assert refused.value.exit_code == 2
    assert password not in refused.value.message or not password
