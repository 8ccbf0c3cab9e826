"""The contact gate: may we send this, why, and if not now, when."""

from __future__ import annotations

from crm_core.channels.gate.judging import Gate
from crm_core.channels.gate.model import Asked, Candidate, GateCheck

__all__ = ["Asked", "Candidate", "Gate", "GateCheck"]
