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
    r"""\b(?:
        (?:(?:this\ is|i\ am|i\ m)\ an\ )?auto(?:\ ?matic|\ ?mated)?\ ?(?:reply|response|responder|message)
        | (?:(?:i\ am|i\ m)\ )?(?:currently\ )?out\ of\ (?:the\ )?office
        | (?:i\ am|i\ m)\ (?:currently\ )?away\ from\ my\ (?:desk|e\ ?mail)
        | (?:i\ am|i\ m)\ driving(?:\ right\ now|\ with\ (?:do\ not\ disturb|focus|the\ driving\ focus))?
            (?:\ while\ driving)?(?:\ turned\ on)?
        | i\ ll\ see\ your\ message\ when\ i\ get\ where\ i\ m\ going
        | (?:i\ am|i\ m)\ not\ receiving\ notifications
        | if\ this\ is\ urgent\ reply\ urgent\ to\ send\ a\ notification\ through\ with\ your\ original\ message
        | (?:esta?\ es\ (?:una?\ )?)?(?:respuesta\ autom[áa]tica|mensaje\ autom[áa]tico)
        | (?:estoy\ )?fuera\ de\ (?:la\ )?oficina | estoy\ (?:conduciendo|manejando)
    )\b""",
    re.VERBOSE,
)
"""What auto-responders say, as it stands once every text is small letters with one space between words."""
_AROUND_IT = frozenset(
    """
    re hello hi dear i am m will ll be back until till return returning on in the at from of and to thanks thank you
    for your message email currently away soon today tomorrow next week monday tuesday wednesday thursday friday
    saturday sunday january february march april may june july august september october november december jan feb mar
    apr jun jul aug sep sept oct nov dec st nd rd th pm
    hola gracias por su tu mensaje correo hasta vuelvo regreso el la de del al mañana manana lunes martes miércoles
    miercoles jueves viernes sábado sabado domingo enero febrero marzo abril mayo junio julio agosto septiembre
    octubre noviembre diciembre
    """.split()  # noqa: SIM905 - a word list reads best as words
)
"""What may stand beside it: greetings, and until when."""
LONGEST_AUTOMATIC = 60
_WORD = re.compile(r"[^\W\d_]+")
_WORD_OR_NUMBER = re.compile(r"[^\W\d_]+|\d+")


def asks_for_nothing(text: str) -> bool:
    """Whether nobody need answer: courtesy, a bare confirmation, an auto-responder."""
    return is_mere_thanks(text) or is_automatic(text)


def is_automatic(text: str) -> bool:
    """Whether a machine answered for the sender: it says so and nothing else than until when.

    A person may begin so: "I'm out of the office and my new pills make me throw up".
    """
    words = _WORD_OR_NUMBER.findall(text.casefold())
    if "?" in text or len(words) > LONGEST_AUTOMATIC:
        return False
    rest, phrases = _AUTOMATIC.subn(" ", " ".join(words))
    return phrases > 0 and all(word in _AROUND_IT or word.isdigit() for word in rest.split())


def is_mere_thanks(text: str) -> bool:
    """Whether the text is courtesy or a bare confirmation; one with a question or a digit never is."""
    if "?" in text or any(letter.isdigit() for letter in text):
        return False
    words = _WORD.findall(text.casefold())
    if not words:
        # Thumbs up and the like; an empty text with a picture is judged by the screening before.
        return bool(text.strip()) and len(text.strip()) <= LONGEST
    return len(words) <= LONGEST and all(word in _COURTESY for word in words)
