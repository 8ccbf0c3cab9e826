"""Opt-out words: what STOP, START and HELP do, before any conversation sees them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from crm_core.channels.consent.deciding import OPTED_OUT, go_on, hold
from crm_core.channels.consent.ledger import NewEntry, append
from crm_core.channels.consent.model import About, Decision, How, SaidBy
from crm_core.channels.gate import Candidate, Gate
from crm_core.channels.inbound import Arrival, Reply
from crm_core.channels.keywords import Keyword, classify, unmistakable_stop
from crm_core.channels.keywords_section import KeywordsSection
from crm_core.channels.model import Handled
from crm_core.channels.outbox import NotSendable, Posting, SendObserver, post, suppress_queued
from crm_core.channels.prompts.cancel_word import may_want_to_cancel
from crm_core.dedup import keyword_answer_key
from crm_core.patients.service import opt_in, opt_out
from crm_core.patients.tables import POINT
from crm_core.playbook.service import in_force
from crm_core.words import Channel, Purpose
from crm_core.work.units import ReadUnit, WriteUnit

TEXTED = frozenset({Channel.SMS, Channel.WHATSAPP})
"""The channels on which carriers' keywords have their meaning.

By letter only a word that means nothing else opts the address out, alone in the text or, with no
text, in the subject, as mail programs write it; it is not answered. In a portal, a form, a chat or
a call the words are a person's to read.
"""


class KeywordHandler:
    """STOP opts the number out, START in, HELP says who we are; one answer each.

    What was queued to a number that wants no more is cancelled, and `observers` hear of it, so that
    no conversation waits for an answer to what never left. To one that may want no more it waits
    until staff decide.
    """

    def __init__(self, gate: Gate, observers: Sequence[SendObserver] = ()) -> None:
        self._gate = gate
        self._observers = observers

    def handle(self, unit: WriteUnit, arrival: Arrival) -> Reply | None:
        """None for an ordinary text, and for one on a channel that has no keywords."""
        point = arrival.contact.contact_point_id
        keyword = _keyword(unit, arrival)
        if keyword is None or point is None:
            return None
        texts = in_force(unit).section(KeywordsSection)
        match keyword:
            case Keyword.STOP:
                if opt_out(unit, point, f"M-{arrival.message_id}"):
                    _write_down(unit, arrival, Decision.WITHDRAWN)
                    suppress_queued(unit, point, OPTED_OUT, self._observers)
                    self._answer(unit, arrival, texts.opt_out)
                return Reply(by=Handled.OPT_OUT, why=may_want_to_cancel(unit, arrival))
            case Keyword.START:
                if opt_in(unit, point, f"M-{arrival.message_id}"):
                    _write_down(unit, arrival, Decision.GRANTED)
                go_on(unit, point, f"M-{arrival.message_id}")
                self._answer(unit, arrival, texts.opt_in)
                return Reply(by=Handled.OPT_IN)
            case Keyword.HELP:
                self._answer(unit, arrival, texts.help)
                return Reply(by=Handled.HELP)
            case Keyword.SUSPECTED_STOP:
                hold(unit, point, f"M-{arrival.message_id}")
                return Reply(by=Handled.SUSPECTED_OPT_OUT)

    def _answer(self, unit: WriteUnit, arrival: Arrival, text: str) -> None:
        """One confirmation to a text; where no gateway may carry it, the opt-out stands without."""
        if arrival.channel not in TEXTED:
            return
        candidate = Candidate(
            channel=arrival.channel,
            contact_point_id=arrival.contact.contact_point_id,
            patient_id=None,
            text=text,
            first_name=None,
            purpose=Purpose.NOTICE,
            automatic=True,
            answers=True,
        )
        try:
            post(
                unit,
                self._gate,
                Posting(
                    conversation_id=None,
                    candidate=candidate,
                    author_id=None,
                    dedup_key=keyword_answer_key(arrival.message_id),
                ),
            )
        except NotSendable:
            return


def _keyword(unit: ReadUnit, arrival: Arrival) -> Keyword | None:
    """What the message says about being written to, on a channel where such words count."""
    if arrival.channel is Channel.EMAIL:
        said = arrival.said if arrival.said.strip() else arrival.subject or ""
        return Keyword.STOP if unmistakable_stop(said) and not arrival.automatic else None
    if arrival.channel not in TEXTED:
        return None
    if arrival.keyword is None and classify(arrival.said, opted_out=True) is Keyword.START:
        out = select(POINT.c.opted_out_at).where(POINT.c.id == arrival.contact.contact_point_id)
        return Keyword.START if unit.scalar(out) is not None else None
    return arrival.keyword


def _write_down(unit: WriteUnit, arrival: Arrival, decision: Decision) -> None:
    """The ledger's entry; whether the number takes messages is kept with the number."""
    entry = NewEntry(
        contact_point_id=arrival.contact.contact_point_id,
        channel=arrival.channel,
        about=About.EVERYTHING,
        decision=decision,
        said_by=SaidBy.PATIENT,
        how=How.TEXT,
        message_id=arrival.message_id,
    )
    append(unit, entry)
