"""How hard an English text is to read: the Flesch–Kincaid grade, with syllables counted by rule."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z][A-Za-z']*")
_SENTENCE_END = re.compile(r"[.!?:]+(?=\s|$)|\n{2,}")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^laeiouy]es|[^dtaeiouy]ed|[^laeiouy]e)$")


def grade(text: str) -> float:
    """The US school grade (Kincaid and others, 1975): 0.39 words/sentence + 11.8 syllables/word − 15.59.

    Never below 0; 0 for a text without words. Right to about a grade on texts of 50 words.
    """
    words = _WORD.findall(text)
    if not words:
        return 0.0
    sentences = max(1, sum(1 for part in _SENTENCE_END.split(text) if _WORD.search(part)))
    total = sum(syllables(word) for word in words)
    return max(0.0, 0.39 * len(words) / sentences + 11.8 * total / len(words) - 15.59)


def syllables(word: str) -> int:
    """Groups of vowels, less a silent ending; at least one."""
    plain = word.lower().replace("'", "")
    count = len(_VOWELS.findall(plain))
    if count > 1 and _SILENT.search(plain):
        count -= 1
    return max(1, count)
