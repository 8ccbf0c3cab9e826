"""Phone numbers and e-mail addresses in one normal form, whatever way they were written."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers

from crm_core.patients.model import ContactKind

LONGEST_VALUE = 250
SHORTEST_NUMBER = 7
"""Digits of the shortest number whose last four do not give most of it away."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)*")


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class NormalContact:
    """A contact point as it is stored and compared.

    `value` is what is dialled or written to: E.164 (with `;ext=` where there is one), the
    address, or the text as given where it is neither. `key` is what two spellings share.
    `problem` is a code where it cannot work.
    """

    kind: ContactKind
    value: str
    key: str
    problem: str | None

    @property
    def last_four(self) -> str | None:
        """The last four digits of a phone number of at least seven."""
        return last_four(self.kind, self.value)


def normal(kind: ContactKind, value: str, region: str) -> NormalContact | None:
    """`value` in its normal form, or None where nothing is left of it.

    `region` (ISO 3166, two letters) is where a number without a country code belongs. A
    number that could be dialled is kept as E.164 even in a range not given out (555-…).
    """
    given = " ".join(value.split())[:LONGEST_VALUE]
    if not given:
        return None
    return _phone(given, region) if kind is ContactKind.PHONE else _email(given)


def _phone(given: str, region: str) -> NormalContact:
    try:
        number = phonenumbers.parse(given, region)
    except phonenumbers.NumberParseException:
        return _undiallable(given, "not_a_phone_number")
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        return _undiallable(given, "no_area_code")
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        return _undiallable(given, "not_a_possible_number")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    value = f"{e164};ext={number.extension}" if number.extension else e164
    return NormalContact(kind=ContactKind.PHONE, value=value, key=value, problem=None)


def _undiallable(given: str, problem: str) -> NormalContact:
    digits = digits_of(given)
    key = digits or given.casefold()
    return NormalContact(kind=ContactKind.PHONE, value=given, key=key, problem=problem)


def _email(given: str) -> NormalContact:
    address = unicodedata.normalize("NFC", given.removeprefix("mailto:"))
    sane = _EMAIL.fullmatch(address) is not None and address.isprintable()
    problem = None if sane else "not_an_email_address"
    return NormalContact(kind=ContactKind.EMAIL, value=address, key=address.casefold(), problem=problem)


def digits_of(text: str) -> str:
    """The decimal digits in `text`, of any script, as ASCII."""
    return "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())


def dialled(value: str | None) -> str:
    """The digits of a stored phone number, without its extension."""
    return digits_of((value or "").partition(";")[0])


def last_four(kind: ContactKind, value: str | None) -> str | None:
    """The last four digits of a stored phone number of at least seven; None of anything else."""
    digits = dialled(value) if kind is ContactKind.PHONE else ""
    return digits[-4:] if len(digits) >= SHORTEST_NUMBER else None


def is_like_a_number(text: str) -> bool:
    """Whether text could only be meant as a phone number: seven digits or more, and no letter."""
    return len(digits_of(text)) >= SHORTEST_NUMBER and not any(sign.isalpha() for sign in text)
