"""What never belongs in an outgoing text: card and social security numbers, passwords, unfilled fields."""

from __future__ import annotations

import re

_CARD = re.compile(r"(?<![\d+])\d(?:[ .-]?\d){12,18}(?!\d)")
_SOCIAL_SECURITY = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])")
_SOCIAL_SECURITY_NAMED = re.compile(
    r"\b(?:ssn|social security|seguro social)\b\D{0,20}(?<!\d)\d{3}[- ]?\d{2}[- ]?\d{4}(?!\d)", re.IGNORECASE
)
_PASSWORD = re.compile(
    r"\b(?:password|passcode|passwd|pwd|contraseña|clave)\b(?:\s+(?:is|es))?\s*[:=]\s*\S"
    r"|\b(?:password|passcode|contraseña)\s+(?:is|es)\s+[\"“']?\S*[\d!@#$%^&*]\S*",
    re.IGNORECASE,
)
_FIELD = re.compile(r"\{\{|\{%|\{\s*[A-Za-z_][\w .]*\}|‹[^›\n]{1,60}›")


def what_does_not_belong(text: str) -> str | None:
    """What of `text` must not leave the house, named without quoting it; None where there is nothing."""
    if any(_is_card(match.group()) for match in _CARD.finditer(text)):
        return "the text holds a card number"
    if _SOCIAL_SECURITY.search(text) or _SOCIAL_SECURITY_NAMED.search(text):
        return "the text holds a social security number"
    if _PASSWORD.search(text):
        return "the text holds a password"
    if _FIELD.search(text):
        return "the text holds a field that was not filled in"
    return None


def _is_card(written: str) -> bool:
    """Whether these digits could be a card's: its check digit fits (ISO/IEC 7812) and they are not all one digit."""
    digits = [int(sign) for sign in written if sign.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]  # noqa: PLR2004 - two digits are added up
    return len(set(digits)) > 1 and (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
