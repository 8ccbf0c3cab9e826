"""Whether a text is in a language that no danger list covers."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzáéíóúüñªº")

_ELSEWHERE = """
    je tu nous vous ils elle elles est suis avez ai avons etes sont le les des une du au aux mon ma mes ton ta votre
    notre et ou mais donc pas ne que qui quoi dans avec sans pour chez depuis tres beaucoup bonjour merci oui non
    mal ou douleur jai cest peux peut besoin rendez aidez moi respirer poitrine enfant fille fils mari femme quand
    comment aujourdhui hier
    eu voce voces nao sim estou esta estao tenho tem uma um uns umas meu minha meus seu sua com sem para pela pelo
    em na no nas nos dor peito muito muita obrigado obrigada bom dia boa tarde consulta filho filha ajuda ajude
    preciso quero posso consigo respirar mas ou quando onde hoje ontem amanha ola porque isso isto aqui
    toi ban khong co la cua va duoc cho trong nay den voi rat bi dau nguoi mot nhung cac xin chao cam on giup bac si
    muon con em anh chi me ba hom thuoc nguc tho
    mwen ou li nou yo pa ka gen se nan pou ak kijan bonjou mesi tanpri doule tet lestomak pitit mwenm map ki sa fe
    anpil kapab respire jodi a randevou dokte bezwen
    ich du er sie wir ihr nicht kein keine und oder aber ist bin sind habe hat haben der die das den dem ein eine
    mein meine mit ohne fur bei seit sehr heute gestern morgen danke bitte hallo schmerzen kann muss mochte wann wie
    io lui lei noi voi sono sei siamo ho hai abbiamo hanno il lo gli una uno mio mia con senza per da di che non ma
    molto grazie ciao buongiorno dolore petto respirare posso voglio quando oggi ieri domani figlio figlia aiuto
    jestem jest nie tak mam masz moj moja prosze dziekuje bol boli czy gdzie kiedy jutro dzisiaj wczoraj oraz ale
    dla bardzo moge potrzebuje pomocy klatce oddychac lekarz wizyta dzien dobry
    ako ikaw siya kami tayo sila ang ng mga sa ko mo niya hindi oo po opo salamat masakit dibdib anak kailangan
    gusto kung kasi lang naman na ba yung may wala pwede paano ngayon bukas kahapon makahinga
    waxaan waa ma anigu adiga isaga iyo laakiin caawimaad fadlan mahadsanid xanuun ilmahayga maanta berri shalay
    kuma neefsan karo laabta
    ben sen biz siz onlar bir ve ama icin ile degil var yok cok tesekkurler lutfen agri agriyor gogsum nefes
    alamiyorum bugun yarin dun randevu merhaba nasil
    saya kamu dia kami kita mereka tidak ada yang dan di ke dari untuk dengan sakit dada anak tolong terima kasih
    bisa mau hari ini besok kemarin
    kuv koj nws peb nej lawv tsis muaj thiab yog rau ntawm mob hauv siab kev pab thov ua tsaug me nyuam
"""
_WORDS = frozenset(_ELSEWHERE.split())
"""Short words of languages that patients write and no list covers: French, Portuguese, Vietnamese,
Haitian Creole, German, Italian, Polish, Tagalog, Somali, Turkish, Indonesian, Hmong."""
_NEUTRAL = 2
"""Texts of so few words ("ok", "C", a name) say too little to call foreign."""
_TELLING = 5
"""From so many words on, a text with none that we know is foreign, unless it is all names."""


def is_foreign(text: str, words: Sequence[str], known: AbstractSet[str]) -> bool:
    """Whether too little of `text` is in a listed language to have been screened.

    `words` are its folded words; `known` the words that the listed languages tell.
    """
    letters = [each for each in text.casefold() if each.isalpha()]
    if not letters:
        return False
    if sum(not _is_latin(each) for each in letters) * 3 > len(letters):
        return True
    words = [word for word in words if word.isalpha()]
    ours = sum(word in known for word in words)
    ours_alone = sum(word in known and word not in _WORDS for word in words)
    theirs_alone = sum(word in _WORDS and word not in known for word in words)
    odd = sum(any(each.isalpha() and each not in _ALPHABET for each in word) for word in text.casefold().split())
    strange = theirs_alone + odd
    if len(words) <= _NEUTRAL:
        return len(words) == _NEUTRAL and theirs_alone == _NEUTRAL
    if ours_alone == 0:
        return strange > 0 or (ours == 0 and len(words) >= _TELLING and text != text.title())
    return strange > 1 and strange >= ours_alone


def _is_latin(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith(
        ("LATIN", "FEMININE", "MASCULINE", "FULLWIDTH LATIN")
    )
