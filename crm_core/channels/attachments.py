"""Attachments by reference: name, type and size of each, its bytes sealed where they may be kept.

Nothing is ever opened, unpacked or run here: a type is what the sender says it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.model import Attached, Withheld
from crm_core.channels.tables import Attachment, Message
from crm_core.cleaning import single_line
from crm_core.store.feed import Topic
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Shown
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

LARGEST = 5_000_000
"""Bytes of one file: a telephone's photograph has two to four million, a scanned page fewer.
What is larger would lie in the store and in each of its backups."""
MOST = 10
"""Files of one message whose bytes are kept; more at once is an archive, not a question."""
LARGEST_TOGETHER = 25_000_000
"""Bytes of all files of one message: what mail providers carry."""
MOST_NAMED = 50
"""Files of one message that are listed at all; of the rest their number is kept."""
LONGEST_NAME = 120
UNNAMED = "unnamed"
ANY_TYPE = "application/octet-stream"

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,48}/[a-z0-9][a-z0-9!#$&^_.+-]{0,48}")
_PATHS = re.compile(r".*[/\\]", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class AttachmentView:
    """One file of a message, as a thread lists it. `size` is in bytes, None where nobody said."""

    id: int
    position: int
    name: Shown
    media_type: str
    size: int | None
    withheld: Withheld | None


def file_name(given: str) -> str:
    """A name as it may be shown and kept: no path, nothing that hides or drives a terminal, its ending kept."""
    name = single_line(_PATHS.sub("", single_line(given))).lstrip(". ").strip()
    if len(name) > LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        kept = f"{dot}{ending}" if dot and len(ending) <= 10 else ""  # noqa: PLR2004 - longer is no ending
        name = (stem if kept else name)[: LONGEST_NAME - len(kept)] + kept
    return name or UNNAMED


def media_type(given: str) -> str:
    """The type as the sender states it, without parameters; bytes of any kind where it states none."""
    stated = given.partition(";")[0].strip().lower()
    return stated if _MEDIA_TYPE.fullmatch(stated) else ANY_TYPE


@needs(Permission.MESSAGE_RECEIVE)
def keep(unit: WriteUnit, message_id: int, attached: Sequence[Attached]) -> None:
    """Keep the files of one inbound message: the first MOST with their bytes, each and all within the limits.

    What is known by number alone (no name, no bytes) has no row.
    """
    named = [one for one in attached if one.name or one.content is not None or one.size is not None][:MOST_NAMED]
    if not named:
        return
    rows, taken, together = [], 0, 0
    for attachment_id, (position, one) in zip(
        unit.new_ids("attachment", len(named)), enumerate(named, start=1), strict=True
    ):
        withheld = _withheld(one, taken, together)
        if one.content is not None and withheld is None:
            taken, together = taken + 1, together + len(one.content)
        place = {"id": attachment_id, "message_id": message_id, "position": position}
        rows.append(place | _columns(unit, attachment_id, one, withheld))
    unit.execute(insert(Attachment.__table__), rows)  # type: ignore[arg-type]


@needs(Permission.MESSAGE_RECEIVE)
def bring_later(unit: WriteUnit, channel: Channel, provider_id: str, attached: Sequence[Attached]) -> bool:
    """Keep the bytes of files that a message of that id only named, in their order; whether the message is there.

    `attached` is within the limits of one message.
    """
    token = unit.vault.token("provider_id", f"{channel}:{provider_id}")
    message_id = unit.scalar(select(Message.id).where(Message.provider_token == token))
    if message_id is None:
        return False
    named = unit.execute(
        select(Attachment.id, Attachment.position)
        .where(Attachment.message_id == message_id, Attachment.withheld == Withheld.NOT_DELIVERED)
        .order_by(Attachment.position)
    ).all()
    brought = [(row.id, attached[row.position - 1]) for row in named if row.position <= len(attached)]
    for attachment_id, one in brought:
        columns = _columns(unit, attachment_id, one, _withheld(one, 0, 0))
        unit.execute(update(Attachment.__table__).where(Attachment.id == attachment_id).values(columns))  # type: ignore[arg-type]
    if brought:
        unit.audit(Tag.MESSAGE_RECEIVED, message_id, why="files")
        unit.changed(Topic.INBOX)
    return True


@needs(Permission.CONVERSATION_READ)
def attachments_of(unit: ReadUnit, message_ids: Sequence[int]) -> dict[int, tuple[AttachmentView, ...]]:
    """The files of these messages, in the order in which they came; names opened, bytes not."""
    found: dict[int, tuple[AttachmentView, ...]] = {}
    if not message_ids:
        return found
    rows = unit.execute(
        select(
            Attachment.id, Attachment.message_id, Attachment.position, Attachment.name, Attachment.media_type,
            Attachment.size, Attachment.withheld,
        )
        .where(Attachment.message_id.in_(message_ids))
        .order_by(Attachment.message_id, Attachment.position)
    )  # fmt: skip
    for row in rows:
        view = AttachmentView(
            id=row.id,
            position=row.position,
            name=unit.open(row.name) or Shown(UNNAMED),
            media_type=row.media_type,
            size=row.size,
            withheld=row.withheld,
        )
        found[row.message_id] = (*found.get(row.message_id, ()), view)
    return found


def _columns(unit: WriteUnit, attachment_id: int, one: Attached, withheld: Withheld | None) -> dict[str, Any]:
    """What is kept of a file, with its bytes unless they are withheld."""
    size = len(one.content) if one.content is not None else one.size
    content = one.content if withheld is None else None
    return {
        "media_type": media_type(one.media_type),
        "size": min(size, 2**31 - 1) if size is not None else None,
        "withheld": withheld,
        "content_token": _token(unit, content),
        "name_sealed": unit.seal(Field.ATTACHMENT_NAME, attachment_id, file_name(one.name)),
        "content_sealed": unit.seal_bytes(Field.ATTACHMENT_BYTES, attachment_id, content),
    }


def _withheld(one: Attached, taken: int, together: int) -> Withheld | None:
    if one.content is None:
        too_large = one.size is not None and one.size > LARGEST
        return Withheld.TOO_LARGE if too_large else Withheld.NOT_DELIVERED
    if len(one.content) > LARGEST or together + len(one.content) > LARGEST_TOGETHER:
        return Withheld.TOO_LARGE
    return Withheld.TOO_MANY if taken >= MOST else None


def _token(unit: ReadUnit, content: bytes | None) -> int | None:
    return None if content is None else unit.vault.token("attachment", hashlib.sha256(content).hexdigest())
