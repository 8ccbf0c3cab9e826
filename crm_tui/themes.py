"""Colours and breakpoints in one place.

Every state has a word as well; a colour only makes the word quicker to find. Contrast of
text on its background is at least 4.5 : 1 in `dusk` and `day`, and 7 : 1 in `contrast`.
"""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.theme import Theme

DUSK = Theme(
    name="dusk",
    primary="#7aa2c9",
    secondary="#8a9bb0",
    accent="#9ecbb5",
    warning="#e0b060",
    error="#ee8078",
    success="#8fc79a",
    foreground="#d6dbe1",
    background="#14181d",
    surface="#181d23",
    panel="#222932",
    dark=True,
    variables={
        "block-cursor-background": "#2f4a63",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#26303a",
        "block-cursor-blurred-foreground": "#d6dbe1",
        "border": "#7aa2c9",
        "border-blurred": "#2b333d",
        "input-selection-background": "#2f4a63",
        "scrollbar": "#2b333d",
        "scrollbar-background": "#181d23",
        "scrollbar-background-hover": "#181d23",
        "quiet": "#8d99a6",
        "alarm": "#b3261e",
        "alarm-text": "#ffffff",
        "due-late": "#ee8078",
        "due-soon": "#e0b060",
        "urgency-stat": "#ee8078",
        "urgency-asap": "#e0b060",
        "urgency-urgent": "#d9c27c",
        "internal": "#3a3320",
        "internal-text": "#ecd9a0",
    },
)

DAY = Theme(
    name="day",
    primary="#1f5a92",
    secondary="#4b5b6d",
    accent="#1d6b4f",
    warning="#8a5a00",
    error="#b3261e",
    success="#1f6b36",
    foreground="#1c2229",
    background="#f6f7f8",
    surface="#ffffff",
    panel="#e8ebee",
    dark=False,
    variables={
        "block-cursor-background": "#cfe0f1",
        "block-cursor-foreground": "#0c1116",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e4e9ee",
        "block-cursor-blurred-foreground": "#1c2229",
        "border": "#1f5a92",
        "border-blurred": "#c6ccd3",
        "input-selection-background": "#cfe0f1",
        "scrollbar": "#c6ccd3",
        "scrollbar-background": "#ffffff",
        "scrollbar-background-hover": "#ffffff",
        "quiet": "#5b6773",
        "alarm": "#b3261e",
        "alarm-text": "#ffffff",
        "due-late": "#b3261e",
        "due-soon": "#8a5a00",
        "urgency-stat": "#b3261e",
        "urgency-asap": "#8a5a00",
        "urgency-urgent": "#6b5a00",
        "internal": "#fff3cd",
        "internal-text": "#4d3b00",
    },
)

CONTRAST = Theme(
    name="contrast",
    primary="#80c8ff",
    secondary="#ffffff",
    accent="#80ffce",
    warning="#ffd24a",
    error="#ff9c94",
    success="#8cff9f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1a1a1a",
    dark=True,
    variables={
        "block-cursor-background": "#ffffff",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#4d4d4d",
        "block-cursor-blurred-foreground": "#ffffff",
        "border": "#ffffff",
        "border-blurred": "#8c8c8c",
        "input-selection-background": "#004c8c",
        "scrollbar": "#8c8c8c",
        "scrollbar-background": "#000000",
        "scrollbar-background-hover": "#000000",
        "quiet": "#d0d0d0",
        "alarm": "#ffd24a",
        "alarm-text": "#000000",
        "due-late": "#ff9c94",
        "due-soon": "#ffd24a",
        "urgency-stat": "#ff9c94",
        "urgency-asap": "#ffd24a",
        "urgency-urgent": "#ffe9a8",
        "internal": "#332b00",
        "internal-text": "#ffe9a8",
    },
)

THEMES: tuple[Theme, ...] = (DUSK, DAY, CONTRAST)
"""What a user may choose from; the first is the default."""

BREAKPOINTS: list[tuple[int, str]] = [(0, "-one-pane"), (100, "-two-panes"), (140, "-three-panes")]
"""Columns from which a class holds: below 100 one pane, 100 list and detail, 140 three panes."""

_OWN = ("quiet", "alarm", "due-", "urgency-", "internal")


def register(app: App[Any]) -> None:
    """Give the app our themes and put on the default one."""
    for theme in THEMES:
        app.register_theme(theme)
    app.theme = THEMES[0].name


def variable_defaults() -> dict[str, str]:
    """Our own variables for `App.get_theme_variable_defaults`, so that foreign themes work too."""
    return {name: value for name, value in DUSK.variables.items() if name.startswith(_OWN)}


def next_theme(name: str) -> str:
    """The theme after `name`, round and round."""
    names = [theme.name for theme in THEMES]
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]
