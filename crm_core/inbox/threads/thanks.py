"""Texts that ask for nothing, thanks and auto-responders: they leave a closed conversation closed."""

from __future__ import annotations

import re

LONGEST = 8
"""Words beyond which a text is never mere thanks."""

_COURTESY = frozenset(
    """
    thanks thank thx ty thankyou tysm you u so much very a lot ok okay k kk c great perfect good cool sounds got it will
    do noted yes yep sure fine awesome wonderful bye have nice day appreciate appreciated received understood
    gracias muchas muy bien amable vale de acuerdo listo perfecto entendido si bueno excelente recibido
    """.split()  # noqa: SIM905 - a word list reads best as words
)
_AUTOMATIC = re.compile(
    r"""\W*(?:re:\W*)?(?:
        auto(?:matic|mated)?[ -]?(?:reply|response|responder|message)\b
        | (?:this[ ]is|i[ ]am|i'm)[ ]an[ ]auto(?:matic|mated)[ ](?:reply|response|message)\b
        | out[ ]of[ ](?:the[ ])?office\b
        | (?:i'm|i[ ]am)[ ](?:currently[ ])?(?:out[ ]of[ ](?:the[ ])?office|away[ ]from[ ]my[ ](?:desk|e-?mail))\b
        | (?:i'm|i[ ]am)[ ]driving[ ]with[ ](?:do[ ]not[ ]disturb|focus|the[ ]driving[ ]focus)\b
        | (?:i'm|i[ ]am)[ ]driving(?:[ ]right[ ]now)?\W*$
        | respuesta[ ]autom[áa]tica\b | mensaje[ ]autom[áa]tico\b | fuera[ ]de[ ](?:la[ ])?oficina\b
        | estoy[ ](?:conduciendo|manejando)\W*$
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""How auto-responders begin, in a subject or a text; what a person adds after it is read when it is opened."""
_WORD = re.compile(r"[^\W\d_]+")


def asks_for_nothing(subject: str | None, text: str) -> bool:
    """Whether nobody need answer: courtesy, a bare confirmation, an auto-responder."""
    return is_mere_thanks(text) or is_automatic(subject, text)


def is_automatic(subject: str | None, text: str) -> bool:
    """Whether a machine answered for the sender, as far as the beginning tells; what asks something is a person's."""
    if "?" in text:
        return False
    return any(_AUTOMATIC.match(each.replace("’", "'")) is not None for each in (subject, text) if each)


def is_mere_thanks(text: str) -> bool:
    """Whether the text is courtesy or a bare confirmation; one with a question or a digit never is."""
    if "?" in text or any(letter.isdigit() for letter in text):
        return False
    words = _WORD.findall(text.casefold())
    if not words:
        # Thumbs up and the like; an empty text with a picture is judged by the screening before.
        return bool(text.strip()) and len(text.strip()) <= LONGEST
    return len(words) <= LONGEST and all(word in _COURTESY for word in words)
