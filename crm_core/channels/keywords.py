"""The carriers' words: STOP, START, HELP, and a request to stop that does not use them.

A word counts when it stands alone in the text, in any case, whatever punctuation is around it.
YES is not an opt-in here: carriers take it as one only from a number that opted out, and it is
how people answer our prompts; START and UNSTOP opt in. CANCEL is an opt-out, as carriers have
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
_UNMISTAKABLE = frozenset({"stop", "stopall", "unsubscribe", "optout", "alto", "parar"})
"""What opts out though more follows, where the more is an alarm: "STOP, chest pain"."""

_THINGS = (
    r"(?:texts?|txts?|texting|txting|messages?|msgs?|msg|messaging|sms|reminders?|notifications?|alerts?|emails?|spam|mensajes?"
    r"|textos?|recordatorios?|avisos?|mensajitos?)"
)
_A_FEW = r"(?: \w+){0,3}? "
_ASKS = [
    rf"\b(?:stop|quit|cease|end|cancel|discontinue|halt)(?: \w+){{0,2}}? {_THINGS}\b",
    r"\b(?:stop|quit|cease)(?: \w+)? (?:contacting|bothering|spamming|harassing|calling|bugging|pestering|blowing up)\b",
    rf"\b(?:stop|quit) sending(?: me)?(?: \w+)? ?(?:{_THINGS}|these|this|stuff|things|crap|junk|anything|me$|$)",
    rf"\bno (?:more|longer (?:want|wish|need)){_A_FEW}?{_THINGS}\b",
    rf"\b(?:dont|do not|didnt|did not|never|not)(?: ever| want| wish| need| like| care| consent| agree| ask| sign| to| up| for| any| more"
    rf"| be| get| getting| receive| receiving| you| u| your| these| the| all| this){{1,8}} {_THINGS}\b(?! (?:yet|today|until|about))",
    r"\b(?:dont|do not|never)(?: ever)? (?:text|txt|message|msg|contact|sms|bother) (?:me|this number|my phone|us)\b"
    r"(?! (?:before|after|until|till|at|between|while|during|on|about|if|with))",
    r"\b(?:remove|take|delete|drop|get) (?:me|my (?:phone |cell )?(?:number|phone|cell|info|name)|this number)"
    r"(?: \w+){0,2}? (?:off|from|out of)(?: \w+){0,2}? (?:list|lists|texts?|texting|messages?|messaging|system|database|contacts|this|alerts?|sms"
    r"|mailing|notifications?|reminders?)\b(?! (?:of medications|of meds))",
    r"\b(?:delete|lose|erase|forget|block|remove) (?:my|this) (?:number|contact|phone)\b",
    r"\b(?:unsubscribe|opt me out|opt this number out|unsubscribing)\b",
    rf"\bopt(?:ing|ed)? out (?:of|from)(?: \w+){{0,2}}? ?(?:{_THINGS}|this|these|list)\b",
    r"\b(?:i|want to|like to|wish to|how (?:do|can) i|please|let me) opt out$",
    r"\bleave me alone\b",
    r"\b(?:revoke|withdraw) (?:my )?(?:consent|permission)\b",
    rf"\bdej(?:e|en|a|ar)(?: ya)? de (?:\w+ ){{0,2}}?(?:enviar|mandar|escribir|molestar|textear|contactar|llamar)(?:me|nos)?\b",
    r"\bno (?:me|nos) (?:\w+ )?(?:envi?e|mande|escriba|textee|moleste|contacte|llame|envie|mand|escrib)\w*(?: \w+)?"
    rf"(?: mas| {_THINGS}| nada|$)",
    rf"\b(?:ya )?no (?:quiero|deseo|necesito|quisiera)(?: \w+){{0,3}}? {_THINGS}\b",
    rf"\bno mas {_THINGS}\b",
    r"\b(?:quit|borr|elimin|saqu|sac)\w*(?: por favor)?(?: a)? (?:me |mi |este )?(?:de (?:la|su|esta) lista|mi numero|este numero|numero)\b",
    r"\b(?:quiten|saquen|quite|saque|borren|eliminen|quita)me\b",
    r"\b(?:dar|den|deme|denme|darme|quiero) de baja\b|\bde baja (?:de|los|mi|este)\b",
    rf"\b(?:pare|paren|cancele|cancelen|detenga|detengan|suspendan|suspenda)(?: \w+){{0,2}}? {_THINGS}\b",
    r"\bya no (?:me )?(?:manden|mande|envien|envie|escriban|escriba|molesten)\b",
]
_ASKS_TO_STOP = re.compile("|".join(f"(?:{each})" for each in _ASKS))
_NOT_ABOUT_TEXTS = re.compile(
    r"\b(?:wait ?list|waitlist|medications?|meds?|metformin|statin)\b|\b(?:didnt|did not|not|never|cant|arent|isnt) (?:get|getting|receive|receiving|got)"
    r" (?:\w+ )?(?:texts?|messages?|the|your|any)\b(?!.*\bwant)"
)
_POLITE = frozenset(
    "stop please pls plz now it this ok okay just already thanks thank you all everything immediately i said no more the enough"
    " alto parar pare paren ya por favor porfavor basta unsubscribe me cancel quit texts".split()
)
_MOST_POLITE = 6
_HARD = frozenset("stop alto pare paren unsubscribe".split())
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´"))


def classify(text: str, *, alarmed: bool = False) -> Keyword | None:
    """The keyword that `text` is, or SUSPECTED_STOP where it seems to ask for an end; else None.

    `alarmed` says that the text also raised an alarm: then a STOP before it still opts out.
    """
    plain = _folded(text)
    words = re.findall(r"[a-z0-9]+", plain)
    if not words:
        return None
    alone = _WORDS.get("".join(words)) or (_WORDS.get(words[0]) if len(set(words)) == 1 else None)
    if alone is not None:
        return alone
    if alarmed and _opens_with_stop(plain):
        return Keyword.STOP
    if len(words) <= _MOST_POLITE and not _HARD.isdisjoint(words) and _POLITE.issuperset(words):
        return Keyword.SUSPECTED_STOP
    sentence = " ".join(words)
    if _ASKS_TO_STOP.search(sentence) and not _NOT_ABOUT_TEXTS.search(sentence):
        return Keyword.SUSPECTED_STOP
    return None


def _opens_with_stop(plain: str) -> bool:
    """Whether the first or last clause is an unmistakable word and nothing else."""
    clauses = [clause.strip() for clause in re.split(r"[.,;:!?\n-]+", plain) if clause.strip()]
    return len(clauses) > 1 and not _UNMISTAKABLE.isdisjoint((clauses[0], clauses[-1]))


def _folded(text: str) -> str:
    marks = unicodedata.normalize("NFKD", text.casefold()).translate(_APOSTROPHES)
    return "".join(each for each in marks if unicodedata.category(each) != "Mn")
