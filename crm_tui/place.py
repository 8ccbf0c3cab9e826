"""Where each person was when the console was left: a lane and a conversation's number, no more."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm_core.settings import write_private

FILE = "console.json"


@dataclass(frozen=True, kw_only=True)
class Place:
    """The lane in view and the conversation under the cursor."""

    lane: str | None = None
    conversation_id: int | None = None


def read_place(home: Path, staff_id: int) -> Place:
    """Where this person was; nowhere where that is not known or the file cannot be read."""
    kept = _read(home).get(str(staff_id))
    if not isinstance(kept, dict):
        return Place()
    lane, number = kept.get("lane"), kept.get("conversation")
    return Place(
        lane=lane if isinstance(lane, str) else None, conversation_id=number if isinstance(number, int) else None
    )


def keep_place(home: Path, staff_id: int, place: Place) -> None:
    """Keep it in a 0600 file of the home; a full disk is no reason to stop anybody's work."""
    kept = _read(home)
    kept[str(staff_id)] = {"lane": place.lane, "conversation": place.conversation_id}
    with suppress(OSError):
        write_private(home / FILE, json.dumps(kept))


def _read(home: Path) -> dict[str, Any]:
    try:
        kept = json.loads((home / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
