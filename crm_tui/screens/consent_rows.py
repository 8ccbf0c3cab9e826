"""What the record of a patient says of consent, as labels and lines; nothing here asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from crm_tui.desk.consent import ConsentCard, Consents, NumberLine, ProxyView
from crm_tui.screens.showing import moment
from crm_tui.terminal import one_line


def consent_rows(consents: Consents, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Label and line for each thing that stands, the patient's order, what binds every sender, and the proxies."""
    card = consents.card
    if card.confidential is not None:
        yield "ONLY BY", _only(card, zone)
    for line in card.numbers:
        if line.held_at is not None:
            yield "HELD", f"···{line.ends or ''} may want no more texts since {moment(line.held_at, zone)}: decide"
    if card.preferred or card.preferred_points:
        points = [
            _way(line) for point in card.preferred_points for line in card.numbers if line.contact_point_id == point
        ]
        yield "prefers", ", ".join([*card.preferred, *points])
    for standing in card.standing:
        about = standing.about.replace("_", " ")
        since = f" since {moment(standing.at, zone)}" if standing.at is not None else ""
        yield "consent", f"{standing.channel} · {about} · {standing.state.upper()}{since}"
    for proxy in consents.proxies:
        yield "proxy", proxy_line(proxy)


def proxy_line(proxy: ProxyView) -> str:
    """Name, what they are to the patient, their number, what they may."""
    may = " and ".join(word for word, does in (("speaks", proxy.may_speak), ("receives", proxy.may_receive)) if does)
    parts = (proxy.name, proxy.relation, proxy.contact or "", may)
    return " · ".join(one_line(part) for part in parts if part)


def _way(line: NumberLine) -> str:
    return f"···{line.ends}" if line.ends else f"their {line.kind}"


def _only(card: ConsentCard, zone: tzinfo) -> str:
    asked = card.confidential
    assert asked is not None
    parts = [
        asked.channel.value,
        f"···{asked.ends}" if asked.ends else "",
        f"until {moment(asked.until_at, zone)}" if asked.until_at is not None else "",
        one_line(asked.words or ""),
    ]
    return " · ".join(part for part in parts if part)
