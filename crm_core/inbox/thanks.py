"""Texts that ask for nothing: they leave a closed conversation closed."""

from __future__ import annotations

import re

LONGEST = 8
"""Words beyond which a text is never mere thanks."""

_COURTESY = frozenset(
    """
    thanks thank thx ty thankyou tysm you u so much very a lot ok okay k kk c great perfect good cool sounds got it will do
    noted yes yep sure fine awesome wonderful bye have nice day appreciate appreciated received understood
    gracias muchas muy bien amable vale de acuerdo listo perfecto entendido si bueno excelente recibido
    """.split()  # noqa: SIM905 - a word list reads best as words
)
_WORD = re.compile(r"[^\W\d_]+")


def is_mere_thanks(text: str) -> bool:
    """Whether the text is courtesy or a bare confirmation; one with a question or a digit never is."""
    if "?" in text or any(letter.isdigit() for letter in text):
        return False
    words = _WORD.findall(text.casefold())
    if not words:
        # Thumbs up and the like; an empty text with a picture is judged by the screening before.
        return bool(text.strip()) and len(text.strip()) <= LONGEST
    return len(words) <= LONGEST and all(word in _COURTESY for word in words)
