"""One audit entry, and the bytes of a row that its MAC covers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crm_core.audit.tags import Outcome, Tag

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NONE = struct.pack(">I", 0xFFFFFFFF)
_length = struct.Struct(">I").pack


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What a unit of work says of itself.

    `ids` are of the kind `subject`, by default the tag's. `why` holds codes, names of lists
    and counts, never anything of a patient.
    """

    tag: Tag
    ids: Sequence[int] = ()
    subject: str | None = None
    why: str | None = None
    outcome: Outcome = Outcome.DONE


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """The columns of a row beside its place in a chain, as they are stored."""

    at: datetime
    actor_id: int
    tag: str
    subject: str
    ids: str
    why: str | None
    outcome: str
    key_id: int

    def covered(self, chain: int, seq: int, previous: bytes) -> bytes:
        """What the MAC is over: every field, each with its length, so that no two rows share an encoding."""
        parts = (
            b"crm audit 1",
            str(self.key_id).encode(),
            str(chain).encode(),
            str(seq).encode(),
            previous,
            str((self.at - _EPOCH) // _MICROSECOND).encode(),
            str(self.actor_id).encode(),
            self.tag.encode(),
            self.subject.encode(),
            self.ids.encode(),
            None if self.why is None else self.why.encode(),
            self.outcome.encode(),
        )
        return b"".join(_NONE if part is None else _length(len(part)) + part for part in parts)
