"""Screening a text that quotes: what is quoted is spared only where we know what it says.

A daughter who sends on what her father wrote quotes it as a mail program does; so form alone
spares nothing. Spared is what a letter to or from the same address said before, word for word: it
was screened when it came, or it is ours. Compared by blind token, so nothing is opened for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import select

from crm_core.channels.danger import Screening, Verdict
from crm_core.channels.quoting import Quotation, has_new, quotations, without_sure
from crm_core.channels.same_text import text_token
from crm_core.channels.tables import Message
from crm_core.words import Channel
from crm_core.work.units import ReadUnit

MOST = 100
"""Quoted letters that are looked up; what goes beyond is screened."""
_WORST_FIRST = (Verdict.ALARM, Verdict.UNSCREENED, Verdict.CLEAR)

Screen = Callable[[ReadUnit, str | None, str, int], Screening]


def screen_quoting(
    unit: ReadUnit, screen: Screen, *, channel: Channel, contact_point_id: int | None, subject: str | None, text: str,
    attachments: int,
) -> Screening:  # fmt: skip
    """Screen a message: its own words by themselves, then all that is not known to have been said before.

    One statement where a letter quotes. Whole where nothing in it is new.
    """
    own = without_sure(text)
    if own == text or not has_new(text):
        return screen(unit, subject, text, attachments)
    # By themselves, or a long quotation in a language that we read would vouch for one that we do not.
    first = screen(unit, subject, own, attachments)
    quoted = quotations(text)
    known = _said_before(unit, contact_point_id, quoted) if channel is Channel.EMAIL else frozenset()
    unknown = "\n".join(each.text for each in quoted if each not in known)
    if not unknown:
        return first
    return _worse(first, screen(unit, None, unknown if known else text, 0))


def _said_before(unit: ReadUnit, contact_point_id: int | None, quoted: tuple[Quotation, ...]) -> frozenset[Quotation]:
    """Which of these letters an earlier one to or from that address was, but for case, spacing and punctuation."""
    tokens = {each: text_token(unit.vault, each.text) for each in quoted[:MOST] if each.is_letter}
    asked = {token for token in tokens.values() if token is not None}
    if contact_point_id is None or not asked:
        return frozenset()
    said = select(Message.text_token).where(
        Message.text_token.is_not(None),
        Message.text_token.in_(sorted(asked)),
        Message.contact_point_id == contact_point_id,
    )
    found = set(unit.scalars(said))
    return frozenset(each for each, token in tokens.items() if token in found)


def _worse(one: Screening, two: Screening) -> Screening:
    worse = min(one, two, key=lambda each: _WORST_FIRST.index(each.verdict))
    return replace(worse, terms=tuple(dict.fromkeys((*one.terms, *two.terms))))
