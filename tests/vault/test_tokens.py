"""Blind tokens find what is equal, say nothing, and keep apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.vault.keys import Key
from crm_core.vault.tokens import TokenKind, Tokens, fold_name, name_words, sought
from crm_core.vault.vault import Vault

TOKENS = Tokens(Key.random())
TEXT = st.text(st.characters(exclude_categories=()), max_size=30)


@given(kind=st.sampled_from(list(TokenKind)), value=TEXT)
def test_exact_tokens_fit_a_bigint_and_never_meet_name_tokens(kind: TokenKind, value: str) -> None:
    token = TOKENS.exact(kind, value)
    assert 2**62 <= token < 2**63
    assert token == TOKENS.exact(kind, value)


@given(name=TEXT)
def test_name_tokens_have_sixteen_bits(name: str) -> None:
    assert all(0 <= token < 2**16 for token in TOKENS.names([name]))
    assert 0 <= TOKENS.name(name) < 2**16


def test_kinds_and_keys_give_different_tokens() -> None:
    values = {TOKENS.exact(kind, "1234") for kind in TokenKind}
    assert len(values) == len(TokenKind)
    assert Tokens(Key.random()).exact("mrn", "1234") not in values


def test_kinds_of_other_rooms_may_have_any_name() -> None:
    assert TOKENS.exact("external_reference_of_a_system", "x") != TOKENS.exact("external_reference_of_a_systemx", "")


def test_the_same_mail_address_in_another_spelling_is_found() -> None:
    assert TOKENS.exact("email", " Ann.Lee@Example.ORG ") == TOKENS.exact("email", "ann.lee@example.org")
    assert TOKENS.exact("phone", "+12025550123") != TOKENS.exact("phone", "+12025550124")


def test_a_name_is_found_by_its_beginnings_and_its_whole() -> None:
    found = TOKENS.names(["Featherstone", "Al"])
    for typed in ("fea", "FEAT", "feath", "feathe", "Featherstone", "al", "AL"):
        assert TOKENS.name(typed) in found
    assert len(found) == 6


@pytest.mark.parametrize("typed", ["f", "fe", "fea", "feather", "featherstonehaugh"])
def test_what_is_typed_is_looked_up_by_an_indexed_beginning(typed: str) -> None:
    known = TOKENS.names(["Featherstonehaugh"])
    assert (TOKENS.name(sought(typed)) in known) == (len(typed) >= 3)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Muñoz", "munoz"),
        ("O'Brien", "obrien"),
        ("Łukasz", "lukasz"),
        ("STRAẞE", "strasse"),
        ("Ángel", "angel"),
        ("Søren", "soren"),
        ("İpek", "ipek"),
        ("ﬁn", "fin"),
        ("Nguyễn", "nguyen"),
        ("3rd", "3rd"),
        ("王", "王"),
        ("\u202eann\u200b", "ann"),
        ("", ""),
    ],
)
def test_names_fold_to_what_people_type(written: str, folded: str) -> None:
    assert fold_name(written) == folded


@given(name=TEXT)
def test_folding_twice_is_folding_once(name: str) -> None:
    assert fold_name(fold_name(name)) == fold_name(name)


@given(name=st.text("abcdefghijklmnopqrstuvwxyzáéñÜ", min_size=1, max_size=20))
def test_case_and_accents_do_not_matter(name: str) -> None:
    assert TOKENS.names([name]) == TOKENS.names([name.upper()])


def test_a_name_of_several_words_is_found_by_each_and_by_their_sum() -> None:
    assert name_words("De la Cruz-O'Neil Jr.") == ["de", "la", "cruz", "oneil", "jr"]
    found = TOKENS.names(["De la Cruz"])
    for typed in ("cruz", "de", "la", "delacr", "del"):
        assert TOKENS.name(typed) in found


def test_fingerprints_tell_change_and_differ_between_stores(vault: Vault) -> None:
    assert vault.fingerprint(b"a") == vault.fingerprint(b"a")
    assert vault.fingerprint(b"a") != vault.fingerprint(b"b")
    assert len(vault.fingerprint(b"")) == 16
    assert TOKENS.fingerprint(b"a") != vault.fingerprint(b"a")
