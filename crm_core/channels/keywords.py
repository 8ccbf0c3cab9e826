"""The carriers' words: STOP, START, HELP, and a request to stop that does not use them.

A word counts when it stands alone in the text, in any case, whatever punctuation is around it.
YES opts in only where the number is opted out, as carriers have it: else it is how people answer
our prompts; START and UNSTOP always do. CANCEL is an opt-out, as carriers have
it; what it may mean for a visit is for the reply handlers.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Keyword(StrEnum):
    """What a text says about being texted."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    SUSPECTED_STOP = "suspected_stop"


_ALONE = {
    Keyword.STOP: """
        stop stopall unsubscribe unsubscribed unsubcribe unsuscribe cancel end quit revoke optout remove
        alto parar pare paren baja cancelar salir detener desuscribir desuscribirme darmedebaja dardebaja
        sair descadastrar cancelartodo
    """,
    Keyword.START: "start unstop optin comenzar iniciar empezar",
    Keyword.HELP: "help info ayuda informacion ajuda",
}
_WORDS = {word: keyword for keyword, words in _ALONE.items() for word in words.split()}
_UNMISTAKABLE = frozenset({"stop", "stopall", "unsubscribe", "optout", "alto", "parar", "desuscribir"})
"""What opts out though more follows, where the more is an alarm: "STOP, chest pain"."""

_MAY_MEAN_A_VISIT = frozenset({"cancel", "cancelar"})

_TEXTS = r"""(?:te?xts?|te?xting|messages?|msgs?|messaging|sms|reminders?|notifications?|alerts?|spam
    |mensajes?|mensajitos?|textos?|recordatorios?|avisos?)"""

_ASKS = re.compile(
    rf"""
      \b(?:stop|quit|cease|halt|discontinue) (?:\ \w+){{0,3}}? \ {_TEXTS}\b
    | \bend (?:\ (?:all|the|these|those|your|my|any|sending))* \ {_TEXTS}\b
    | \bcancel (?:\ (?:all|the|these|my|your|any|future))* \ {_TEXTS}\b (?!\ (?:about|for|with))
    | \b(?:stop|quit|cease) (?:\ \w+)? \ (?:contacting|bothering|spamming|harassing|calling|bugging|pestering)\b
    | \b(?:stop|quit) \ sending (?:\ me)? (?:\ (?:these|this|stuff|things|anything|me))? $
    | \bno \ more (?:\ (?:of|your|these|the))* \ {_TEXTS}\b
    | \b(?:dont|do\ not|no\ longer|never) (?:\ (?:ever|want|wish|need|like|care|consent|agree|to|up|for|any|more
        |be|get|getting|receive|receiving|your|ur|these|the|all|this|such|asked?|signed?))+ \ {_TEXTS}\b
    | \b(?:didnt|did\ not|never) \ (?:sign|ask|agree|consent)(?:ed|d)? (?:\ \w+){{0,3}}? \ {_TEXTS}\b
    | \b(?:dont|do\ not|never) (?:\ ever)? \ (?:te?xt|message|msg|contact|sms|bother)
        \ (?:me|this\ number|my\ phone|us)\b
        (?!\ (?:at|before|after|until|till|between|while|during|on|about|if|with|when)\b)
    | \b(?:remove|take|delete|drop|get) \ (?:me|my\ (?:phone\ |cell\ )?(?:number|phone|cell|info|name)|this\ number)
        (?:\ \w+){{0,2}}? \ (?:off|from|out\ of) (?:\ \w+){{0,2}}?
        \ (?:lists?|system|database|contacts|mailing|{_TEXTS})\b
    | \b(?:delete|lose|erase|block|remove) \ (?:my|this) \ (?:number|contact)\b
    | \b(?:unsubscribe|unsubscribing|opt\ me\ out|opt\ this\ number\ out)\b
    | \bopt(?:ing)? \ out \ (?:of|from) (?:\ \w+){{0,2}}? \ (?:{_TEXTS}|list)\b | \bopt \ out $
    | \bleave \ me \ alone\b | \b(?:revoke|withdraw) \ (?:my\ )? (?:consent|permission)\b
    | \bdej(?:e|en|a|ar) (?:\ ya)? \ de (?:\ \w+)??
        \ (?:enviar|mandar|escribir|molestar|textear|contactar|llamar)(?:me|nos)?\b
    | \bno \ (?:me|nos) \ (?:envi|mand|escrib|texte|molest|contact)\w+ (?:\ \w+)? (?:\ mas|\ nada|\ {_TEXTS}|$)
    | \bno \ (?:quiero|deseo|necesito|quisiera) (?:\ \w+){{0,2}}? \ {_TEXTS}\b | \bno \ mas \ {_TEXTS}\b
    | \b(?:quit|borr|elimin|saqu|sac)\w* (?:\ me|\ por\ favor)* \ (?:de\ (?:la|su|esta)\ lista|(?:mi|este)\ numero)\b
    | \b(?:dar|den|deme|darme|denme) \ de \ baja\b
    | \b(?:pare|paren|cancele|cancelen|detengan?|suspendan?) \ (?:(?:los|sus|estos|todos|mas|de\ mandar)\ )* {_TEXTS}\b
    """,
    re.VERBOSE,
)
"""What asks for an end of our texts, in the words of a sentence without punctuation or accents."""

_POLITE = frozenset(
    """
    stop please pls plz now it this ok okay just already thanks thank you all everything immediately i said enough
    alto pare paren ya por favor porfavor basta unsubscribe
    """.split()  # noqa: SIM905 - a list of words reads better as a text
)
_MOST_POLITE = 6
_HARD = frozenset({"stop", "alto", "pare", "paren", "unsubscribe"})
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´"))


def classify(text: str, *, alarmed: bool = False, opted_out: bool = False) -> Keyword | None:
    """The keyword that `text` is, or SUSPECTED_STOP where it seems to ask for an end; else None.

    `alarmed` says that the text also raised an alarm: then a STOP before it still opts out.
    `opted_out` says that the number is: then YES opts in.
    """
    plain = _folded(text)
    words = re.findall(r"[a-z0-9]+", plain)
    if not words:
        return None
    if opted_out and words == ["yes"]:
        return Keyword.START
    alone = _WORDS.get("".join(words)) or (_WORDS.get(words[0]) if len(set(words)) == 1 else None)
    if alone is not None:
        return alone
    if alarmed and _opens_with_stop(plain):
        return Keyword.STOP
    if len(words) <= _MOST_POLITE and not _HARD.isdisjoint(words) and _POLITE.issuperset(words):
        return Keyword.SUSPECTED_STOP
    sentence = " ".join(words)
    return Keyword.SUSPECTED_STOP if _ASKS.search(sentence) else None


def unmistakable_stop(text: str) -> bool:
    """Whether a text is an opt-out word that means nothing else: what a letter may opt out by."""
    words = re.findall(r"[a-z0-9]+", _folded(text))
    return bool(words) and "".join(words) in _UNMISTAKABLE


def says_cancel(text: str) -> bool:
    """Whether an opt-out word is the one that may also mean a visit: CANCEL, in English or Spanish."""
    return set(re.findall(r"[a-z0-9]+", _folded(text))) <= _MAY_MEAN_A_VISIT


def _opens_with_stop(plain: str) -> bool:
    """Whether the first or last clause is an unmistakable word and nothing else."""
    clauses = [clause.strip() for clause in re.split(r"[.,;:!?\n-]+", plain) if clause.strip()]
    return len(clauses) > 1 and not _UNMISTAKABLE.isdisjoint((clauses[0], clauses[-1]))


def _folded(text: str) -> str:
    marks = unicodedata.normalize("NFKD", text.casefold()).translate(_APOSTROPHES)
    return "".join(each for each in marks if unicodedata.category(each) != "Mn")
