"""Colleagues to pick from: what each holds, who is away, who does not work the lane."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from crm_tui.desk.handoff import ColleagueView
from crm_tui.screens.showing import moment
from crm_tui.widgets.choice import Pick


def people(
    found: Iterable[ColleagueView], zone: tzinfo, *, but: int | None = None, must_be_here: bool = False
) -> list[Pick]:
    """A pick for each; who does not work the lane cannot be picked, nor who is away where they `must_be_here`."""
    return [_pick(one, zone, must_be_here=must_be_here) for one in found if one.id != but]


def _pick(one: ColleagueView, zone: tzinfo, *, must_be_here: bool) -> Pick:
    away = f"absent until {moment(one.absent_until, zone)}" if one.absent_until is not None else ""
    of = f" of {one.capacity}: full" if one.is_full else f" of {one.capacity}" if one.capacity is not None else ""
    refused = "does not work this lane" if not one.works else away if must_be_here else ""
    return Pick(id=str(one.id), name=one.name, hint=away or f"holds {one.held}{of}", refused=refused)
