"""Which identifiers we keep; docs/decisions/identifiers-we-do-not-keep.md says why not the others."""

from __future__ import annotations

from functools import lru_cache

MRN = "MR"
"""HL7 v2-0203 code of a medical record number."""

_KINDS_LEFT_OUT = frozenset({"SS", "DL", "PPN", "TAX", "AN", "VN", "MB", "SN"})
_SYSTEMS_LEFT_OUT = (
    "http://hl7.org/fhir/sid/us-ssn",
    "http://hl7.org/fhir/sid/passport",
    "http://standardhealthrecord.org/fhir/StructureDefinition/passportNumber",
    "urn:oid:2.16.840.1.113883.4.1",
    "urn:oid:2.16.840.1.113883.4.3.",
)


@lru_cache(maxsize=1024)
def is_kept(system: str, kind: str) -> bool:
    """Whether an identifier is taken at all.

    Not taken: social security and tax numbers, driver's licences, passports (a CRM needs none
    of them, and a thief all of them), and account, visit, member and subscriber numbers, which
    a family may share.
    """
    return kind.upper() not in _KINDS_LEFT_OUT and not any(
        system == left_out or (left_out.endswith((".", "passport")) and system.startswith(left_out))
        for left_out in _SYSTEMS_LEFT_OUT
    )
