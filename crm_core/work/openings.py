"""What a unit has opened, gathered until it is audited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from crm_core.audit.chain import Entry
from crm_core.audit.tags import Tag

_OPENED = {
    "patient": Tag.PATIENT_OPENED,
    "patient_identifier": Tag.PATIENT_OPENED,
    "contact_point": Tag.CONTACT_OPENED,
    "message": Tag.MESSAGE_OPENED,
    "note": Tag.NOTE_OPENED,
    "conversation": Tag.CONVERSATION_OPENED,
    "task": Tag.TASK_OPENED,
    "attachment": Tag.ATTACHMENT_OPENED,
    "saved_view": Tag.VIEW_OPENED,
    "incoming": Tag.INCOMING_OPENED,
    "consent": Tag.CONSENT_OPENED,
    "confidential_request": Tag.CONFIDENTIAL_OPENED,
    "proxy": Tag.PROXY_OPENED,
    "notice": Tag.NOTICE_OPENED,
    "ring": Tag.RING_OPENED,
}


class Openings:
    """Openings of one unit: one audit row per record, or per listing."""

    def __init__(self) -> None:
        self._single: dict[tuple[str, int], None] = {}
        self._listings: list[tuple[str, dict[tuple[str, int], None]]] = []
        self._current: dict[tuple[str, int], None] = self._single

    def note(self, kind: str, row_id: int) -> None:
        """Remember one opened record; twice is once."""
        self._current[kind, row_id] = None

    @contextmanager
    def listing(self, name: str, filters: Sequence[str]) -> Iterator[None]:
        """What is noted inside belongs to one listing."""
        before, self._current = self._current, {}
        self._listings.append((f"{name} by {','.join(sorted(filters))}" if filters else name, self._current))
        try:
            yield
        finally:
            self._current = before

    def entries(self) -> list[Entry]:
        """The audit rows, in the order of opening: single records first."""
        rows = [Entry(tag=_OPENED[kind], subject=kind, ids=(row_id,)) for kind, row_id in self._single]
        for name, opened in self._listings:
            by_kind: dict[str, list[int]] = {}
            for kind, row_id in opened:
                by_kind.setdefault(kind, []).append(row_id)
            rows += [
                Entry(tag=Tag.LIST_SHOWN, subject=kind, ids=tuple(sorted(ids)), why=name)
                for kind, ids in by_kind.items()
            ]
        return rows

    def clear(self) -> None:
        """Forget everything: it has been audited."""
        self._single.clear()
        self._listings.clear()
