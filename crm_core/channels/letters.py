"""Message-IDs: by which an e-mail's answer finds the letter that it answers, and ours say what they answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import insert, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.model import Direction, Inbound
from crm_core.channels.tables import Letter, Message
from crm_core.vault.fields import Field
from crm_core.work.units import ReadUnit, WriteUnit

MOST_REFERENCES = 20
"""Message-IDs kept of a thread: its first, and the newest; mail programs cut long ones likewise (RFC 5322, 3.6.4)."""
_LETTER_ID = re.compile(r"<[!-;=?-~]{1,250}>")


def letter_ids(text: str | None) -> tuple[str, ...]:
    """The Message-IDs in a header, in order; what is not of their form is passed over."""
    return tuple(_LETTER_ID.findall(text or ""))


def answered_ids(inbound: Inbound) -> tuple[str, ...]:
    """What a letter answers, the likeliest first: In-Reply-To, then References from the newest to the oldest."""
    named = (*letter_ids(inbound.in_reply_to), *reversed(letter_ids(" ".join(inbound.references))))
    return tuple(dict.fromkeys(named))[:MOST_REFERENCES]


@needs(Permission.MESSAGE_RECEIVE)
def keep_letter(unit: WriteUnit, message_id: int, inbound: Inbound) -> None:
    """Remember an inbound letter's Message-ID and what it refers to; nothing for one that has none."""
    own = letter_ids(inbound.message_id)
    if not own:
        return
    known = letter_ids(" ".join(inbound.references)) or letter_ids(inbound.in_reply_to)
    references = " ".join(_shortened(known))
    row = {
        "message_id": message_id,
        "token": _token(unit, own[0]),
        "letter_id_sealed": unit.seal(Field.MESSAGE_LETTER_ID, message_id, own[0]),
        "references_sealed": unit.seal(Field.MESSAGE_REFERENCES, message_id, references or None),
    }
    unit.execute(insert(Letter.__table__), [row])  # type: ignore[arg-type]


@needs(Permission.MESSAGE_SEND)
def keep_our_letters(unit: WriteUnit, attempt_ids: Mapping[int, str]) -> None:
    """Remember what answers to these letters of ours will name: the part of their Message-IDs before the @.

    `attempt_ids` by message.
    """
    if not attempt_ids:
        return
    rows = [
        {"message_id": message_id, "token": _token(unit, f"<{letter_name(unit, attempt_id)}@>")}
        for message_id, attempt_id in attempt_ids.items()
    ]
    unit.execute(insert(Letter.__table__), rows)  # type: ignore[arg-type]


def letter_name(unit: ReadUnit, attempt_id: str) -> str:
    """What stands before the @ in the Message-ID of an attempt's letter.

    Keyed, so that only who has had the letter can name it: who knows how attempts are numbered
    must not be able to report a letter of ours as returned.
    """
    return unit.vault.fingerprint(f"letter {attempt_id}".encode()).hex()


def conversations_answered(unit: ReadUnit, ids: Sequence[str]) -> list[int]:
    """The conversations of the letters that these Message-IDs name, in the order of the ids.

    Whoever writes can name any letter: who may join what is for the caller to decide.
    """
    if not ids:
        return []
    tokens = {token: at for at, one in reversed(list(enumerate(ids))) for token in _tokens(unit, one)}
    rows = unit.execute(
        select(Letter.token, Message.conversation_id)
        .join(Message, Message.id == Letter.message_id)
        .where(Letter.token.in_(tokens), Message.conversation_id.is_not(None))
        .order_by(Letter.message_id.desc())
    )
    ordered = sorted(rows, key=lambda row: tokens[row.token])
    return list(dict.fromkeys(row.conversation_id for row in ordered))


@needs(Permission.OUTBOX_DELIVER)
def our_letter(unit: ReadUnit, local: str) -> int | None:
    """The message that we sent with this part of a Message-ID before the @; None where none is ours."""
    token = _token(unit, f"<{local}@>")
    ours = select(Letter.message_id).join(Message, Message.id == Letter.message_id)
    found: int | None = unit.scalar(ours.where(Letter.token == token, Message.direction == Direction.OUT).limit(1))
    return found


@needs(Permission.OUTBOX_DELIVER)
def answers_letter(unit: ReadUnit, conversation_id: int | None, contact_point_id: int | None) -> tuple[str, ...]:
    """The Message-IDs that a letter of ours refers to, the last one the letter it answers; empty where it answers none.

    That is the newest letter from the address it goes to, in the same conversation.
    """
    if conversation_id is None or contact_point_id is None:
        return ()
    last = unit.execute(
        select(Letter.letter_id, Letter.references)
        .join(Message, Message.id == Letter.message_id)
        .where(
            Message.conversation_id == conversation_id,
            Message.direction == Direction.IN,
            Message.contact_point_id == contact_point_id,
        )
        .order_by(Message.recorded_at.desc(), Message.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None or (own := unit.open(last.letter_id)) is None:
        return ()
    return (*_shortened(letter_ids(unit.open(last.references))), str(own))


def _shortened(ids: Iterable[str]) -> tuple[str, ...]:
    known = tuple(ids)
    return known if len(known) <= MOST_REFERENCES else (known[0], *known[1 - MOST_REFERENCES :])


def _tokens(unit: ReadUnit, letter_id: str) -> tuple[int, int]:
    """The tokens under which a letter of theirs, or one of ours, would be found by that id."""
    local = letter_id[1:-1].rpartition("@")[0]
    return _token(unit, letter_id), _token(unit, f"<{local}@>")


def _token(unit: ReadUnit, letter_id: str) -> int:
    return unit.vault.token("letter", letter_id)
