"""`crm ringing`: the calls that ring now, and whom each may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, show_id

if TYPE_CHECKING:
    from crm_core.channels.ringing.queries import RingCard

app = group("Calls that ring.")


@command(app, "ringing", example="crm ringing --json")
def ringing(ctx: typer.Context) -> None:
    """Calls that ring now, and whom each may be; who looked is audited."""
    from crm_core.channels.ringing import queries

    session = Session.of(ctx)
    with session.reading() as unit:
        cards = [queries.ring_card(unit, one.ring_id) for one in queries.rings(unit)]
    session.show([_document(card) for card in cards], people=[_line(card) for card in cards], empty="Nobody rings.")


def _document(card: RingCard) -> dict[str, Any]:
    return {
        "ring": card.ring.ring_id,
        "from": card.number,
        "withheld": card.ring.withheld,
        "line": card.ring.line,
        "rang_at": card.ring.rang_at,
        "candidates": [
            {"patient": show_id(Kind.PATIENT, one.patient_id), "name": one.name, "birth_date": one.birth_date}
            for one in card.candidates
        ],
    }


def _line(card: RingCard) -> dict[str, Any]:
    names = ", ".join(f"{one.name} ({one.birth_date or 'birth date not known'})" for one in card.candidates)
    return {
        "from": card.number or "withheld",
        "line": card.ring.line,
        "rang at": card.ring.rang_at,
        "may be": names or "not known",
    }
