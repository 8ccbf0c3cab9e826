"""The queue under keys: what it asks for, where the cursor goes, what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from textual.geometry import Region

from crm_tui.widgets.page_cache import PAGE
from crm_tui.widgets.queue_list import QueueList
from crm_tui.widgets.queue_row import QueueRow
from tests.widgets.stages import NOW, QueueStage, made_row


def _shown(queue: QueueList) -> list[str]:
    return [queue.render_line(y).text for y in range(queue.size.height)]


async def test_keys_move_the_cursor_and_a_move_within_the_page_asks_for_nothing() -> None:
    app = QueueStage()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = app.query_one(QueueList)
        await pilot.pause()
        asked = len(app.asked)
        await pilot.press("j", "j", "down", "k")
        assert queue.cursor == 2
        await pilot.press(*"jjjjjjjjjj")
        assert len(app.asked) == asked
        assert [event.index for event in app.asked] == [0, PAGE]
        await pilot.press("G")
        assert queue.cursor == 499
        await pilot.press("g")
        assert queue.cursor == 0


async def test_a_page_is_asked_for_once_by_the_keys_of_its_neighbours() -> None:
    app = QueueStage()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        second = next(event for event in app.asked if event.index == PAGE)
        assert second.after == (PAGE - 1,)
        assert second.limit == PAGE


async def test_at_the_edge_the_view_moves_half_a_page() -> None:
    app = QueueStage()
    async with app.run_test(size=(80, 21)) as pilot:
        queue = app.query_one(QueueList)
        queue.go_to(queue.size.height - 1)
        await pilot.pause()
        assert queue.scroll_offset.y == 0
        await pilot.press("j")
        assert queue.scroll_offset.y == queue.cursor - queue.size.height // 2


async def test_a_move_in_view_refreshes_the_old_and_the_new_line_alone() -> None:
    app = QueueStage()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = app.query_one(QueueList)
        await pilot.pause()
        dirty: list[Region] = []
        refresh = queue.refresh

        def spy(*regions: Region, **kwargs: bool) -> QueueList:
            dirty.extend(regions or (queue.size.region,))
            return refresh(*regions, **kwargs)

        queue.refresh = spy  # type: ignore[method-assign]
        queue.action_cursor_down()
        assert [(region.y, region.height) for region in dirty] == [(0, 1), (1, 1)]


async def test_the_cursor_stays_on_its_row_when_the_data_changes() -> None:
    app = QueueStage()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = app.query_one(QueueList)
        queue.go_to(10)
        await pilot.pause()
        assert queue.row is not None
        wanted = queue.row.id
        app.make = lambda index: made_row(index - 3) if index >= 3 else replace(made_row(index), id=index)
        queue.reload()
        assert queue.row.id == wanted
        await pilot.pause()
        assert queue.row.id == wanted
        assert queue.cursor == 13
        assert app.asked[-1].generation == 2


async def test_a_row_that_is_gone_leaves_the_cursor_on_the_next() -> None:
    app = QueueStage(20)
    async with app.run_test(size=(80, 24)) as pilot:
        queue = app.query_one(QueueList)
        queue.go_to(19)
        app.rows_total = 10
        queue.reload()
        await pilot.pause()
        assert queue.cursor == 9
        app.rows_total = 0
        queue.reload()
        await pilot.pause()
        assert queue.row is None
        assert queue.empty in _shown(queue)[1]


async def test_a_late_answer_is_dropped() -> None:
    app = QueueStage()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = app.query_one(QueueList)
        await pilot.pause()
        assert not queue.provide_page(0, 0, [QueueRow(id=1, patient="stale")], 1)
        assert queue.total == 500


async def test_space_marks_and_goes_on_and_actions_work_on_the_marked() -> None:
    app = QueueStage()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = app.query_one(QueueList)
        await pilot.pause()
        assert [row.id for row in queue.acted_on] == [1000]
        await pilot.press("space", "space")
        assert [row.id for row in queue.marked] == [1000, 1001]
        assert queue.cursor == 2
        assert "✓" in _shown(queue)[0]
        queue.clear_marks()
        assert not queue.marked


async def test_enter_and_a_second_click_open_the_row() -> None:
    app = QueueStage()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        await pilot.click(QueueList, offset=(20, 4))
        await pilot.click(QueueList, offset=(20, 4))
        chosen = [event.index for event in app.said if isinstance(event, QueueList.Chosen)]
        assert chosen == [0, 4]


async def test_clocks_tick_without_asking_for_rows_and_draw_only_what_changed() -> None:
    app = QueueStage()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = app.query_one(QueueList)
        await pilot.pause()
        asked = len(app.asked)
        lines: list[int] = []

        def note(y: int) -> None:
            lines.append(y)

        queue.refresh_line = note  # type: ignore[method-assign]
        queue.tick()
        assert lines == []
        queue.now = lambda: NOW + timedelta(minutes=1)
        queue.tick()
        assert lines
        assert len(lines) < queue.size.height
        assert len(app.asked) == asked


async def test_a_row_that_cannot_be_drawn_leaves_the_others_alone() -> None:
    def make(index: int) -> QueueRow:
        return made_row(index) if index != 1 else replace(made_row(index), patient=None)  # type: ignore[arg-type]

    app = QueueStage(make=make)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        lines = _shown(app.query_one(QueueList))
        assert "Ann Marsh 0" in lines[0]
        assert "cannot be shown" in lines[1]
        assert "Cyd O'Hara 2" in lines[2]


async def test_a_million_rows_open_and_end_with_a_handful_of_pages() -> None:
    app = QueueStage(1_000_000)
    async with app.run_test(size=(80, 24)) as pilot:
        queue = app.query_one(QueueList)
        await pilot.press("G", "k", "g", "ctrl+d", "ctrl+u")
        queue.go_to(500_000)
        await pilot.pause()
        assert queue.row is not None
        assert queue.row.id == 501_000
        assert len(app.asked) <= 10


async def test_forgetting_leaves_nothing_to_show() -> None:
    app = QueueStage()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = app.query_one(QueueList)
        await pilot.press("space")
        queue.forget()
        await pilot.pause()
        assert queue.row is None
        assert not queue.marked
        assert "".join(_shown(queue)).strip() in ("", queue.empty)
