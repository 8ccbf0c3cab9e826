"""The tour holds every verb of the console, and docs/tour.md is what its steps say."""

from __future__ import annotations

from pathlib import Path

from crm_tui.commands import COMMANDS, command
from tests.tour.clinic import make_clinic
from tests.tour.driving import play
from tests.tour.page import PAGE, SIZES, heading, said
from tests.tour.scenes import SCENES
from tests.tour.steps import Step, Typed

STEPS = tuple(step for scene in SCENES for step in scene.steps)
ON_PAGE = tuple(step for step in STEPS if step.on_page)


def test_every_verb_is_done_in_the_tour() -> None:
    shown = {verb for step in ON_PAGE for verb in step.verbs}
    missing = [one.id for one in COMMANDS if one.id not in shown]
    assert not missing, "add a step to tests/tour and run `make tour`"


def _presses(step: Step, verb: str) -> bool:
    """Whether a step's keys hold one of the verb's, or name it in the palette."""
    one = command(verb)
    by_name = ":" in step.keys and any(
        isinstance(key, Typed) and key.words.casefold() in one.title.casefold() for key in step.keys
    )
    return by_name or any(key in one.keys for key in step.keys)


def test_a_step_presses_a_key_of_a_verb_that_it_names() -> None:
    assert not [f"{step.title}: {verb}" for step in STEPS for verb in step.verbs if not _presses(step, verb)]


def test_the_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    missing = [heading(scene) for scene in SCENES if heading(scene) not in page]
    missing += [step.title for step in ON_PAGE if said(step) not in page]
    assert not missing, "run `make tour`"
    assert page.count("\n### ") == len(ON_PAGE)


def test_a_scene_comes_to_what_it_says(tmp_path: Path) -> None:
    template = tmp_path / "clinic"
    template.mkdir()
    make_clinic(template)
    scene = next(one for one in SCENES if one.title == "Notes and calls")
    shots = play(scene, template, SIZES[0])
    assert len(shots) == len(scene.steps)
    assert all(len(shot.lines) == SIZES[0][1] for shot in shots)
