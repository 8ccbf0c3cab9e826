"""Taking a file out of a conversation: its bytes leave the store, so it is audited as such."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.attachments import UNNAMED
from crm_core.channels.model import Withheld
from crm_core.channels.tables import Attachment, Message
from crm_core.errors import CrmError, NotFound
from crm_core.inbox.record import current
from crm_core.vault.sealed import Shown
from crm_core.work.units import WriteUnit

_WHY = {
    Withheld.TOO_LARGE: "it is too large",
    Withheld.TOO_MANY: "too many came at once",
    Withheld.NOT_DELIVERED: "the sender's service did not pass it on",
}


class NotKept(CrmError):
    """This attachment was not kept, {why}; ask the patient to send it another way."""


@dataclass(frozen=True, kw_only=True)
class TakenOut:
    """A file as it was received; its type is what its sender says it is."""

    name: Shown
    media_type: str
    content: bytes = field(repr=False)


@needs(Permission.CONVERSATION_READ)
def take_out(unit: WriteUnit, attachment_id: int) -> TakenOut:
    """The file, to be saved outside the store. NotFound outside the actor's lanes; NotKept without its bytes."""
    row = unit.execute(
        select(Attachment.name, Attachment.media_type, Attachment.content, Attachment.withheld, Message.conversation_id)
        .join(Message, Message.id == Attachment.message_id)
        .where(Attachment.id == attachment_id)
    ).one_or_none()
    if row is None or not _visible(unit, row.conversation_id):
        raise NotFound(kind="attachment", id=f"F-{attachment_id}")
    if row.withheld is not None:
        raise NotKept(why=_WHY[row.withheld])
    content = unit.open_bytes(row.content)
    assert content is not None
    unit.audit(Tag.ATTACHMENT_SAVED, attachment_id)
    return TakenOut(name=unit.open(row.name) or Shown(UNNAMED), media_type=row.media_type, content=content)


def _visible(unit: WriteUnit, conversation_id: int | None) -> bool:
    if conversation_id is None:
        return False
    try:
        current(unit, conversation_id, lock=False)
    except NotFound:
        return False
    return True
