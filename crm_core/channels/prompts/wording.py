"""How a reply to a question is read: what confirms, what declines, which number was meant. Pure.

A word counts when it stands alone in the text, in any case, whatever punctuation is around it.
"Yes" and "sí" mean something only because a question was asked; "ok" and thanks confirm nothing.
"""

from __future__ import annotations

import re
import unicodedata

from crm_core.channels.prompts.model import Answer

_ALONE = {
    Answer.CONFIRM: """
        c, cc, confirm, confirmed, confirming, i confirm, yes, y, yes c, c yes, yes confirm, yes confirmed,
        yes i confirm, yes please, yes thanks, yes thank you, yes i will be there, i will be there, ill be there,
        yes ill be there, confirm please, please confirm, confirm thanks, c thanks, c thank you, c please,
        confirmo, confirmado, confirmada, confirmar, si, si confirmo, si gracias, si ahi estare, ahi estare,
        confirmo gracias, c gracias, si c, claro que si
    """,
    Answer.DECLINE: """
        n, no, nope, no i cant, no i cannot, no i cant come, no i cant make it, i cant, i cannot, i cant come,
        i cannot come, cant come, cannot come, i cant make it, cant make it, i cannot make it, cannot make it,
        i wont be there, wont make it, i wont make it, not coming, im not coming, i am not coming, no sorry,
        sorry i cant, sorry i cant make it, decline, declined, no thanks, no thank you,
        no puedo, no puedo ir, no podre, no podre ir, no voy, no voy a poder, no voy a poder ir, no gracias,
        no lo siento, lo siento no puedo, no asistire, no confirmo
    """,
}
_ANSWERS = {" ".join(words.split()): answer for answer, all_of in _ALONE.items() for words in all_of.split(",")}
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´"))


def read_answer(said: str) -> Answer | None:
    """What a reply says to a question; None where it is anything more than that."""
    return _ANSWERS.get(" ".join(_words(said)))


def read_number(said: str) -> int | None:
    """The one digit that a reply is: "1", "#2.", " 2 "; None otherwise."""
    words = _words(said)
    return int(words[0]) if len(words) == 1 and re.fullmatch(r"[1-9]", words[0]) else None


def _words(said: str) -> list[str]:
    marks = unicodedata.normalize("NFKD", said.casefold()).translate(_APOSTROPHES)
    return re.findall(r"[a-z0-9]+", "".join(each for each in marks if unicodedata.category(each) != "Mn"))
