"""What a tour is made of: scenes of steps, each with its keys and with the words that must then be on the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.tour.clinic import TourClinic

Meanwhile = Callable[["TourClinic"], object]


@dataclass(frozen=True)
class Typed:
    """Words typed into a line or a text, not keys of a command."""

    words: str


Key = str | Typed


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing a person does.

    `why` is a sentence for the reader. `verbs` are the ids of the commands it shows, whose keys
    `keys` must hold (or the palette with their title). `shows` are the words that must then be on
    the screen, wherever its lines break; `hides` must not. `passes` is time in seconds that
    goes by first, and `meanwhile` what somebody else does before the keys are pressed. One that
    is not `on_page` only leads to the next. After the one that `ends` there is no console.
    """

    title: str
    why: str
    keys: tuple[Key, ...] = ()
    verbs: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    passes: float = 8.0
    meanwhile: Meanwhile | None = None
    meanwhile_says: str = ""
    on_page: bool = True
    ends: bool = False


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One person at one console; `before` is what has happened in the clinic by then."""

    title: str
    who: str
    why: str
    steps: tuple[Step, ...]
    before: Meanwhile | None = None
