"""Which pages are asked for, which answers are refused, and what is kept."""

from __future__ import annotations

import pytest

from crm_tui.widgets.page_cache import PAGE, PageCache
from crm_tui.widgets.queue_row import QueueRow


def _rows(first: int, count: int) -> list[QueueRow]:
    return [QueueRow(id=index, patient=f"P{index}", key=(index,)) for index in range(first, first + count)]


def test_an_answer_of_an_older_generation_is_refused() -> None:
    cache = PageCache()
    old = cache.renew()
    new = cache.renew()
    assert not cache.accept(old, 0, _rows(0, 3), 3)
    assert cache.row(0) is None
    assert cache.accept(new, 0, _rows(0, 3), 3)


def test_old_rows_stay_until_the_new_generation_answers() -> None:
    cache = PageCache()
    cache.accept(cache.renew(), 0, _rows(0, 3), 3)
    generation = cache.renew()
    row = cache.row(0)
    assert row is not None
    assert row.id == 0
    cache.accept(generation, 0, _rows(50, 3), 3)
    row = cache.row(0)
    assert row is not None
    assert row.id == 50


def test_a_page_on_its_way_is_not_asked_for_twice_and_a_failed_one_is() -> None:
    cache = PageCache()
    generation = cache.renew()
    cache.accept(generation, 0, _rows(0, PAGE), 1000)
    assert list(cache.missing(0, 2 * PAGE)) == [1, 2]
    cache.asked(1)
    assert list(cache.missing(0, 2 * PAGE)) == [2]
    cache.failed(generation, PAGE)
    assert list(cache.missing(0, 2 * PAGE)) == [1, 2]


def test_only_nine_pages_are_kept_and_the_used_ones_longest() -> None:
    cache = PageCache()
    generation = cache.renew()
    for number in range(9):
        cache.accept(generation, number * PAGE, _rows(number * PAGE, PAGE), 10_000)
    cache.touch(0)
    cache.accept(generation, 9 * PAGE, _rows(9 * PAGE, PAGE), 10_000)
    assert cache.row(0) is not None
    assert cache.row(PAGE) is None


def test_neighbours_are_the_keyset_marks_of_a_page() -> None:
    cache = PageCache()
    cache.accept(cache.renew(), 0, _rows(0, PAGE), 1000)
    before, after = cache.neighbours(1)
    assert before is not None
    assert before.key == (PAGE - 1,)
    assert after is None


def test_a_page_must_begin_at_a_page() -> None:
    cache = PageCache()
    with pytest.raises(ValueError, match="multiple"):
        cache.accept(cache.renew(), 7, _rows(7, 3), 10)
