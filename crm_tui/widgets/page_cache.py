"""Which rows of a long list are at hand, and which pages are to be asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from crm_tui.widgets.queue_row import QueueRow

PAGE = 200
"""Rows asked for at once."""

_KEPT = 9
"""Pages kept: 1,800 rows, so that going back a little asks for nothing."""


class PageCache:
    """Pages of rows by number, the least recently used dropped; knows what was asked for.

    A generation is one state of the list. After `renew` the old rows stay in view until the
    first page of the new generation is there; an answer of an older generation is refused.
    """

    def __init__(self) -> None:
        self.generation = 0
        self.total = 0
        self._pages: OrderedDict[int, tuple[QueueRow, ...]] = OrderedDict()
        self._asked: set[int] = set()
        self._shown_generation = 0

    @property
    def is_current(self) -> bool:
        """Whether the rows at hand are of the newest generation."""
        return self._shown_generation == self.generation

    def renew(self) -> int:
        """Begin a generation; returns its number."""
        self.generation += 1
        self._asked.clear()
        return self.generation

    def row(self, index: int) -> QueueRow | None:
        """The row at `index`, or None where its page is not at hand."""
        number, place = divmod(index, PAGE)
        page = self._pages.get(number)
        return page[place] if page is not None and 0 <= place < len(page) else None

    def touch(self, index: int) -> None:
        """Count the page of `index` as used."""
        number = index // PAGE
        if number in self._pages:
            self._pages.move_to_end(number)

    def missing(self, first: int, last: int) -> Iterator[int]:
        """Numbers of the pages over the rows `first` to `last` that are neither here nor asked for."""
        if not self.is_current or not self.total:
            return
        for number in range(max(0, first) // PAGE, min(last, self.total - 1) // PAGE + 1):
            if number not in self._pages and number not in self._asked:
                yield number

    def asked(self, number: int) -> None:
        """Note that a page is on its way."""
        self._asked.add(number)

    def failed(self, generation: int, offset: int) -> None:
        """Note that a page will not come, so that it may be asked for again."""
        if generation == self.generation:
            self._asked.discard(offset // PAGE)

    def accept(self, generation: int, offset: int, rows: Sequence[QueueRow], total: int) -> bool:
        """Take a page in; False for an answer that came too late to matter."""
        if generation != self.generation:
            return False
        if offset % PAGE or len(rows) > PAGE:
            raise ValueError(f"a page begins at a multiple of {PAGE} and holds at most as many rows")
        if not self.is_current:
            self._pages.clear()
            self._shown_generation = generation
        number = offset // PAGE
        self._asked.discard(number)
        self.total = total
        self._pages[number] = tuple(rows)
        self._pages.move_to_end(number)
        while len(self._pages) > _KEPT:
            self._pages.popitem(last=False)
        return True

    def find(self, row_id: int, offset: int) -> int | None:
        """The index of a row by its id in the page at `offset`."""
        for place, row in enumerate(self._pages.get(offset // PAGE, ())):
            if row.id == row_id:
                return offset + place
        return None

    def neighbours(self, number: int) -> tuple[QueueRow | None, QueueRow | None]:
        """The rows just before and just after a page, where at hand: keyset marks for asking."""
        if not self.is_current:
            return None, None
        return self.row(number * PAGE - 1) if number else None, self.row((number + 1) * PAGE)

    def clear(self) -> None:
        """Forget every row, as a lock does."""
        self.renew()
        self._pages.clear()
        self.total = 0
