"""The recovery code restores the key, and catches a slip of the pen."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.vault.keys import Key
from crm_core.vault.recovery import CodeMistyped, read_recovery_code, recovery_code

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE = recovery_code(Key(bytes(range(7, 39))))


@given(raw=st.binary(min_size=32, max_size=32))
def test_a_code_restores_its_key(raw: bytes) -> None:
    code = recovery_code(Key(raw))
    assert read_recovery_code(code) == raw
    assert [len(group) for group in code.split("-")] == [5] * 11


@given(raw=st.binary(min_size=32, max_size=32))
def test_case_blanks_and_look_alikes_do_not_matter(raw: bytes) -> None:
    code = recovery_code(Key(raw))
    typed = f"  {code.lower().replace('-', '  ').replace('0', 'o').replace('1', 'l')}\n"
    assert read_recovery_code(typed) == raw
    assert read_recovery_code(code.replace("1", "i").replace("-", "")) == raw


def test_every_single_wrong_symbol_is_caught() -> None:
    plain = CODE.replace("-", "")
    for place, symbol in itertools.product(range(len(plain)), SYMBOLS):
        if plain[place] != symbol:
            with pytest.raises(CodeMistyped):
                read_recovery_code(plain[:place] + symbol + plain[place + 1 :])


def test_every_exchange_of_two_symbols_is_caught() -> None:
    plain = CODE.replace("-", "")
    for first, second in itertools.combinations(range(len(plain)), 2):
        if plain[first] != plain[second]:
            typed = list(plain)
            typed[first], typed[second] = typed[second], typed[first]
            with pytest.raises(CodeMistyped):
                read_recovery_code("".join(typed))


@pytest.mark.parametrize("typed", ["", "-", CODE[:-1], CODE + "A", CODE.replace(CODE[3], "U"), "é" * 55, "Z" * 55])
def test_what_is_no_code_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(CodeMistyped) as caught:
        read_recovery_code(typed)
    assert caught.value.exit_code == 2
    assert CODE[:5] not in str(caught.value)
