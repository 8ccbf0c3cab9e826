"""What never belongs in an outgoing text: card and social security numbers, credentials, unfilled fields."""

from __future__ import annotations

import re
import unicodedata

from crm_core.channels.credentials import names_a_credential

_APART = r"[ .\u00a0\u2007\u2009\u202f\u2010-\u2015-]"
"""What people put between groups of digits."""
_CARD = re.compile(
    rf"""(?<![\d+])(?<!\d[.-])(?:
        \d{{13,19}}
        | \d{{4}}(?:{_APART}\d{{4}}){{2}}{_APART}\d{{1,4}}(?:{_APART}\d{{1,3}})?
        | \d{{4}}{_APART}?\d{{6}}{_APART}?\d{{4,5}}
        | \d(?:{_APART}\d){{12,18}}
        | \d{{8}}{_APART}\d{{8}}
    )(?!\d)(?!{_APART}\d{{4}}(?!\d))""",
    re.VERBOSE,
)
"""As on cards (4-4-4-4, 4-6-5), in one run, or digit by digit: two telephone numbers in a row are neither."""
_ISSUERS = frozenset("23456")
"""The first digits of payment cards (ISO/IEC 7812)."""
_CARD_CODE = re.compile(r"\b(?:cvv2?|cvc2?|cid)\b(?:\s*(?:code|number|is|:|=|#))*\s*\d{3,4}\b", re.IGNORECASE)
_SOCIAL_SECURITY = re.compile(rf"(?<![\d-])(?!000|666)\d{{3}}({_APART})(?!00)\d{{2}}\1(?!0000)\d{{4}}(?![\d-])(?!\.\d)")
_SOCIAL_SECURITY_NAMED = re.compile(
    rf"\b(?:ssn|ss ?#|social security|social sec\.?|seguro social|itin)(?!\w)\D{{0,24}}(?<!\d)"
    rf"\d{{3}}{_APART}?\d{{2}}{_APART}?\d{{4}}(?!\d)",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_FEWEST_DIGITS = 9
"""Of a social security number; a card has 13."""
_UNSEEN = "Cf"
"""The category of what takes no room between two digits: zero-width spaces and joiners, soft hyphens, directions."""
_FIELD = re.compile(r"\{\{|\{%|\{\s*[A-Za-z_][\w .]*\}|‹[^›\n]{1,60}›")


def what_does_not_belong(text: str, where: str = "the text") -> str | None:
    """What of `text`, which is `where`, must not leave the house, named without quoting it; None where nothing must."""
    if not text:
        return None
    if text.isascii():
        return _found(text, where)
    text = unicodedata.normalize("NFKC", text)
    unseen = {ord(sign) for sign in text if unicodedata.category(sign) == _UNSEEN}
    if not unseen:
        return _found(text, where)
    return _found(text.translate(dict.fromkeys(unseen)), where) or _found(
        text.translate(dict.fromkeys(unseen, " ")), where
    )


def _found(text: str, where: str) -> str | None:
    # The dear patterns are asked only where there are digits enough for what they look for.
    many_digits = len(_DIGIT.findall(text)) >= _FEWEST_DIGITS
    if many_digits and any(_is_card(match.group()) for match in _CARD.finditer(text)):
        return f"{where} holds a card number"
    if _CARD_CODE.search(text):
        return f"{where} holds a card's security code"
    if many_digits and (_SOCIAL_SECURITY.search(text) or _SOCIAL_SECURITY_NAMED.search(text)):
        return f"{where} holds a social security number"
    credential = names_a_credential(text)
    if credential is not None:
        return f"{where} holds {credential}"
    if _FIELD.search(text):
        return f"{where} holds a field that was not filled in"
    return None


def _is_card(written: str) -> bool:
    """Whether these digits could be a card's: issuer and check digit fit (ISO/IEC 7812), not all are one digit."""
    digits = [int(sign) for sign in written if sign.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]  # noqa: PLR2004 - two digits are added up
    return written[0] in _ISSUERS and len(set(digits)) > 1 and (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
