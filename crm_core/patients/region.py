"""Where a phone number without a country code belongs: the clinic's country, from its playbook."""

from __future__ import annotations

from crm_core.playbook.clinic import ClinicSection
from crm_core.playbook.service import in_force
from crm_core.work.units import ReadUnit


def clinic_region(unit: ReadUnit) -> str:
    """The clinic's country as two letters of ISO 3166, as `phonenumbers` calls a region."""
    return in_force(unit).section(ClinicSection).country
