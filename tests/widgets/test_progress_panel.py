"""The panel of long work: its bar, its rate, and that escape asks the work to stop."""

from __future__ import annotations

from textual.widgets import Static

from crm_tui.safe_app import SafeApp
from crm_tui.widgets.progress_panel import ProgressPanel


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_it_shows_how_far_and_how_fast_and_stops_when_asked() -> None:
    stops: list[bool] = []
    clock = Seconds()
    app: SafeApp[None] = SafeApp()
    async with app.run_test(size=(80, 24)) as pilot:
        panel = ProgressPanel("Closed", lambda: stops.append(True), monotonic=clock)
        panel.show(0, 1_200)
        await app.push_screen(panel)
        bar = panel.query_one("#progress-bar", Static)
        assert str(bar.render()).endswith("\n0 of 1,200")
        clock.now += 2
        panel.show(300, 1_200)
        text = str(bar.render())
        assert text == "█" * 12 + "░" * 36 + "\n300 of 1,200, 150 a second"
        await pilot.press("escape")
        assert stops == [True]
        assert app.screen is panel, "only the end of the work takes it away"
        assert "Stopping" in str(panel.query_one("#dialog-hint", Static).render())
        panel.finish()
        await pilot.pause()
        assert app.screen is not panel


async def test_what_ends_under_another_screen_goes_when_that_goes() -> None:
    app: SafeApp[None] = SafeApp()
    async with app.run_test(size=(80, 24)) as pilot:
        panel, over = ProgressPanel("Closed", lambda: None), ProgressPanel("Over it", lambda: None)
        await app.push_screen(panel)
        await app.push_screen(over)
        panel.finish()
        assert app.screen is over
        over.finish()
        await pilot.pause()
        await pilot.pause()
        assert app.screen is not over
        assert app.screen is not panel
