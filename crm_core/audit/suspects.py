"""Telling what happened to rows whose MAC does not fit their place.

A row that was moved still fits the place it came from. The places it can have come from hold
suspects too, so a few dozen suspects are compared with each other, and nothing else is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crm_core.audit.entry import Content
from crm_core.audit.report import Bad, Fault
from crm_core.errors import CrmError
from crm_core.vault.vault import Vault

_COMPARED = 32
"""Suspects compared with each other: 65,000 MACs at most. Beyond that a fault is called an edit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspect:
    """A row whose MAC does not fit; `content` is None where its columns cannot even be read."""

    chain: int
    seq: int
    content: Content | None
    mac: bytes
    previous: bytes


def judged(suspects: Sequence[Suspect], vault: Vault) -> list[Bad]:
    """One fault for each suspect, but for those that only follow a moved row; never none for some."""
    compared = suspects[:_COMPARED]
    macs = {mac for suspect in compared for mac in (suspect.mac, suspect.previous)}
    bad = [found for suspect in compared if (found := _judge(suspect, compared, macs, vault)) is not None]
    bad += [_edited(suspect) for suspect in suspects[_COMPARED:]]
    return bad or [_edited(suspect) for suspect in suspects[:1]]


def _judge(suspect: Suspect, all_suspects: Sequence[Suspect], macs: Iterable[bytes], vault: Vault) -> Bad | None:
    if suspect.mac in _fitting(suspect, suspect.chain, suspect.seq, macs, vault):
        return None
    for place in all_suspects:
        if place is suspect:
            continue
        if {suspect.mac, place.mac} & _fitting(suspect, place.chain, place.seq, macs, vault):
            same = place.chain == suspect.chain
            return Bad(
                chain=suspect.chain,
                seq=suspect.seq,
                fault=Fault.REORDERED if same else Fault.SWAPPED,
                why=f"this row was written as row {place.seq} of chain {place.chain}",
            )
    return _edited(suspect)


def _fitting(suspect: Suspect, chain: int, seq: int, macs: Iterable[bytes], vault: Vault) -> set[bytes]:
    """The MACs the suspect's content would have at a place, after any of the MACs seen."""
    content = suspect.content
    if content is None:
        return set()
    try:
        return {vault.audit_mac(content.key_id, content.covered(chain, seq, previous)) for previous in macs}
    except CrmError:
        return set()


def _edited(suspect: Suspect) -> Bad:
    why = "this row does not fit its MAC" if suspect.content else "a column of this row cannot be read"
    return Bad(chain=suspect.chain, seq=suspect.seq, fault=Fault.EDITED, why=why)
