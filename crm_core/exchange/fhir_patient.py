"""A FHIR R4 Patient as a draft: what is taken, what is left, and what makes it unusable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from crm_core.exchange.fhir_values import (
    BadValue,
    codes,
    flag,
    has_ended,
    instant,
    language,
    objects,
    partial_date,
    text,
    texts,
)
from crm_core.exchange.model import PatientRecord, Reject, Resource, SourceKey
from crm_core.patients.contacts import is_like_a_number
from crm_core.patients.identifiers import MRN, is_kept
from crm_core.patients.model import ContactKind, ContactUse, DraftContact, DraftIdentifier, PatientDraft

OWN = "fhir"
"""The source of a record whose file names no server."""

_NAME_ORDER = ("official", "usual", None, "temp", "nickname", "anonymous", "maiden", "old")
_USES = {"home": ContactUse.HOME, "work": ContactUse.WORK, "mobile": ContactUse.MOBILE}
_PHONES = frozenset({"phone", "sms"})
_UNRANKED = 1_000
_LONGEST_VERSION = 16


def read_patient(resource: Resource, today: date) -> PatientRecord | Reject:
    """The record in a Patient resource, or the first reason why it cannot be used.

    A patient needs some part of a name; everything else may be missing. `contact` (other
    people), `contained` resources and extensions are not read.
    """
    try:
        return _record(resource, today)
    except BadValue as bad:
        return Reject(
            file=resource.file,
            row=resource.row,
            type=resource.type,
            field=bad.field,
            code=bad.code,
            message=bad.message,
        )


def _record(resource: Resource, today: date) -> PatientRecord:
    content = resource.content
    family, given, whole = _name(content, today)
    if not (family or given or whole):
        raise BadValue("name", "no_name", "A patient needs a family name, a given name or a name's text.")
    kept, left_out = _identifiers(content, today)
    deceased_at = instant(content.get("deceasedDateTime"), "deceasedDateTime")
    said_deceased = flag(content.get("deceasedBoolean"), "deceasedBoolean")
    deceased = bool(said_deceased) or content.get("deceasedDateTime") is not None
    key = _key(resource)
    replaced_by = _replaced_by(content, key)
    active = flag(content.get("active"), "active")
    meta = content.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    return PatientRecord(
        file=resource.file,
        row=resource.row,
        key=key,
        replaced_by=replaced_by,
        last_updated=instant(meta.get("lastUpdated"), "meta.lastUpdated"),
        version=_version(meta.get("versionId")),
        left_out=left_out,
        draft=PatientDraft(
            family=family,
            given=given,
            name_text=whole,
            birth_date=partial_date(content.get("birthDate"), "birthDate", today),
            identifiers=kept,
            contacts=_contacts(content, today),
            address=_address(content, today),
            language=_language(content),
            deceased=deceased,
            deceased_at=deceased_at,
            active=active is not False,
            replaced=replaced_by is not None,
        ),
    )


def _name(content: dict[str, Any], today: date) -> tuple[str | None, str | None, str | None]:
    """Family, given and whole text of the name in use."""
    names = list(objects(content.get("name"), "name"))
    order = {use: place for place, use in enumerate(_NAME_ORDER)}
    names.sort(key=lambda name: (has_ended(name, today), order.get(str(name.get("use")), len(order))))
    for name in names:
        family = text(name.get("family"), "name.family")
        given = " ".join(texts(name.get("given"), "name.given")) or None
        whole = text(name.get("text"), "name.text")
        if family or given or whole:
            return family, given, whole
    return None, None, None


def _identifiers(content: dict[str, Any], today: date) -> tuple[tuple[DraftIdentifier, ...], int]:
    """What is kept, and how many are not."""
    kept: list[DraftIdentifier] = []
    left_out = 0
    for item in objects(content.get("identifier"), "identifier"):
        value = text(item.get("value"), "identifier.value")
        if value is None:
            continue
        system = text(item.get("system"), "identifier.system") or ""
        kinds = list(codes(item.get("type")))
        if all(is_kept(system, kind) for kind in kinds or [""]):
            kind = MRN if MRN in kinds else (kinds or [""])[0]
            kept.append(DraftIdentifier(system=system, value=value, kind=kind, old=has_ended(item, today)))
        else:
            left_out += 1
    return tuple(kept), left_out


def _contacts(content: dict[str, Any], today: date) -> tuple[DraftContact, ...]:
    """Phones and e-mail addresses still in use, in the order they are to be tried."""
    found: list[tuple[int, ContactKind, str, ContactUse]] = []
    for item in objects(content.get("telecom"), "telecom"):
        value = text(item.get("value"), "telecom.value")
        if value is None or has_ended(item, today):
            continue
        kind = _contact_kind(item.get("system"), value)
        if kind is not None:
            rank = item.get("rank")
            rank = rank if isinstance(rank, int) and 0 < rank < _UNRANKED else _UNRANKED
            found.append((rank, kind, value, _USES.get(str(item.get("use")), ContactUse.OTHER)))
    found.sort(key=lambda contact: contact[0])
    return tuple(
        DraftContact(kind=kind, value=value, use=use, rank=place)
        for place, (_, kind, value, use) in enumerate(found, 1)
    )


def _contact_kind(system: Any, value: str) -> ContactKind | None:
    if isinstance(system, str) and system in _PHONES:
        return ContactKind.PHONE
    if system == "email" or (system is None and "@" in value):
        return ContactKind.EMAIL
    return ContactKind.PHONE if system is None and is_like_a_number(value) else None


def _address(content: dict[str, Any], today: date) -> str | None:
    """The home address in use on one line."""
    addresses = list(objects(content.get("address"), "address"))
    addresses.sort(key=lambda address: (has_ended(address, today), address.get("use") != "home"))
    return next((line for address in addresses if (line := _address_line(address))), None)


def _address_line(address: dict[str, Any]) -> str | None:
    parts = dict[str, str | None]()
    for name in ("city", "district", "state", "postalCode", "country"):
        parts[name] = text(address.get(name), f"address.{name}")
    region = " ".join(part for part in (parts["state"], parts["postalCode"]) if part)
    lines = texts(address.get("line"), "address.line")
    written = [*lines, parts["city"], parts["district"], region, parts["country"]]
    return ", ".join(part for part in written if part) or text(address.get("text"), "address.text")


def _language(content: dict[str, Any]) -> str | None:
    spoken = list(objects(content.get("communication"), "communication"))
    spoken.sort(key=lambda item: item.get("preferred") is not True)
    return next((tag for item in spoken if (tag := language(item.get("language")))), None)


def _key(resource: Resource) -> SourceKey:
    """What the source calls this record; its own text stands in where it has no name at all."""
    resource_id = text(resource.content.get("id"), "id")
    source, _, named = _split(resource.full_url or "")
    if resource_id or named:
        return SourceKey(source=source, id=resource_id or named)
    return SourceKey(source=OWN, id=resource.full_url or "")


def _split(reference: str) -> tuple[str, str, str]:
    """Server, type and id of a reference such as `https://host/fhir/Patient/7` or `Patient/7`."""
    if reference.startswith("urn:"):
        return OWN, "", reference.removeprefix("urn:uuid:")
    path = reference.partition("/_history/")[0].partition("?")[0].rstrip("/").split("/")
    *server, type_name, named = ["", *path]
    return "/".join(server[1:]) or OWN, type_name, named


def _replaced_by(content: dict[str, Any], key: SourceKey) -> SourceKey | None:
    for link in _links(content):
        source, type_name, named = _split(link)
        if type_name in ("", "Patient") and named:
            return SourceKey(source=key.source if source == OWN else source, id=named)
    return None


def _links(content: dict[str, Any]) -> Iterator[str]:
    for link in objects(content.get("link"), "link"):
        other = link.get("other")
        reference = other.get("reference") if isinstance(other, dict) else None
        if link.get("type") == "replaced-by" and isinstance(reference, str):
            yield reference


def _version(value: Any) -> int | None:
    """A numeric version; servers that use hashes give no order."""
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < _LONGEST_VERSION else None
