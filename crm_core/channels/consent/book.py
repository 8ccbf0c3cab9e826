"""What stands of consent for many patients and numbers at once, for the contact gate.

Parts of the gate: no permission is asked here, nothing sealed is opened, and each function takes
a fixed number of statements, however many are asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from sqlalchemy import Table, or_, select

from crm_core.channels.consent.model import (
    NOTHING_SAID,
    About,
    ConfidentialRequest,
    Consented,
    Decision,
    Said,
    Standing,
    joined,
    newest,
)
from crm_core.channels.consent.tables import Confidential, Consent
from crm_core.patients.preferences import preferences
from crm_core.patients.tables import PATIENT, POINT, ROOT
from crm_core.words import Channel, Purpose
from crm_core.work.units import ReadUnit

__all__ = ["ConsentBook", "confidential_requests", "consent_book", "preferences"]

CONSENT = cast("Table", Consent.__table__)
CONFIDENTIAL = cast("Table", Confidential.__table__)

_Key = tuple[Channel, About]
_Words = dict[_Key, Said]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentBook:
    """The last word of each patient and number that was asked about, by channel and subject.

    Patients' last words are kept by record, since a patient's record may have taken in others.
    """

    records: Mapping[int, Sequence[tuple[int, datetime | None]]] = field(default_factory=dict)
    of_records: Mapping[int, _Words] = field(default_factory=dict)
    of_points: Mapping[int, _Words] = field(default_factory=dict)
    opted_out: Mapping[int, datetime] = field(default_factory=dict)

    def standing(self, patient_id: int | None, point_id: int | None, channel: Channel, purpose: Purpose) -> Standing:
        """Whether a message of that purpose is consented to.

        A withdrawal at the number beats a patient's grant. That a number is opted out is asked of
        the number itself; of the patient's entries for the purpose and for everything the newest counts.
        """
        at_number = self._at_number(point_id, channel, About.of(purpose))
        if at_number.withdrawn:
            return at_number
        said = [self._patients(patient_id, channel, about) for about in (About.of(purpose), About.EVERYTHING)]
        last = newest([one for one in said if one is not None])
        return last.standing if last is not None else at_number

    def last_word(self, patient_id: int, channel: Channel, about: About) -> Standing:
        """What the patient last said of one subject, whatever was said of others."""
        said = self._patients(patient_id, channel, about)
        return said.standing if said is not None else NOTHING_SAID

    def plain_content(self, patient_id: int, channel: Channel) -> bool:
        """Whether the patient chose, after a warning, to have details over this channel as it is."""
        said = self._patients(patient_id, channel, About.PLAIN_CONTENT)
        return said is not None and said.decision is Decision.GRANTED

    def _at_number(self, point_id: int | None, channel: Channel, about: About) -> Standing:
        if point_id is None:
            return NOTHING_SAID
        words = self.of_points.get(point_id, {})
        # STOP ends messages; whether somebody may call is told apart.
        if point_id in self.opted_out and channel is not Channel.VOICE:
            stops = [said for (_, over), said in words.items() if over is About.EVERYTHING]
            entry = newest([said for said in stops if said.decision is Decision.WITHDRAWN])
            since = self.opted_out[point_id]
            return Standing(state=Consented.WITHDRAWN, at=since, entry_id=entry.id if entry else None)
        said = words.get((channel, about))
        return said.standing if said is not None else NOTHING_SAID

    def _patients(self, patient_id: int | None, channel: Channel, about: About) -> Said | None:
        if patient_id is None:
            return None
        others = self.records.get(patient_id, ())
        words = [(self.of_records.get(number, {}).get((channel, about)), at) for number, at in others]
        merged = [(said, at) for said, at in words if said is not None]
        return joined(self.of_records.get(patient_id, {}).get((channel, about)), merged)


def consent_book(unit: ReadUnit, patient_ids: Sequence[int], point_ids: Sequence[int]) -> ConsentBook:
    """What stands for these patients (by the ids they have now) and contact points; three statements."""
    records: dict[int, list[tuple[int, datetime | None]]] = {}
    for row in unit.execute(
        select(PATIENT.c.id, PATIENT.c.merged_into_id, PATIENT.c.merged_at).where(
            unit.among(PATIENT.c.merged_into_id, patient_ids)
        )
    ):
        records.setdefault(row.merged_into_id, []).append((row.id, row.merged_at))
    opted_out = unit.execute(
        select(POINT.c.id, POINT.c.opted_out_at).where(
            unit.among(POINT.c.id, point_ids), POINT.c.opted_out_at.is_not(None)
        )
    )
    everyone = {*patient_ids, *(number for merged in records.values() for number, _ in merged)}
    of_records: dict[int, dict[_Key, list[Said]]] = {}
    of_points: dict[int, dict[_Key, list[Said]]] = {}
    for row in unit.execute(
        select(
            CONSENT.c.id, CONSENT.c.patient_id, CONSENT.c.contact_point_id, CONSENT.c.channel, CONSENT.c.about,
            CONSENT.c.decision, CONSENT.c.at,
        ).where(or_(unit.among(CONSENT.c.patient_id, everyone), unit.among(CONSENT.c.contact_point_id, point_ids)))
    ):  # fmt: skip
        subject = of_points.setdefault(row.contact_point_id, {}) if row.contact_point_id else None
        words = of_records.setdefault(row.patient_id, {}) if subject is None else subject
        words.setdefault((row.channel, row.about), []).append(Said(id=row.id, decision=row.decision, at=row.at))
    return ConsentBook(
        records=records,
        of_records=_last_words(of_records),
        of_points=_last_words(of_points),
        opted_out={row.id: row.opted_out_at for row in opted_out},
    )


def _last_words(said: Mapping[int, Mapping[_Key, Sequence[Said]]]) -> dict[int, _Words]:
    return {
        subject: {key: last for key, entries in words.items() if (last := newest(entries)) is not None}
        for subject, words in said.items()
    }


def confidential_requests(unit: ReadUnit, patient_ids: Sequence[int]) -> Mapping[int, ConfidentialRequest]:
    """The request in force for each of these patients who made one, by the id they have now; one statement.

    It binds every sender, a person too.
    """
    rows = unit.execute(
        select(
            CONFIDENTIAL.c.id, ROOT.label("root"), CONFIDENTIAL.c.channel, CONFIDENTIAL.c.contact_point_id,
            CONFIDENTIAL.c.from_at, CONFIDENTIAL.c.until_at,
        )
        .join(PATIENT, PATIENT.c.id == CONFIDENTIAL.c.patient_id)
        .where(
            or_(unit.among(PATIENT.c.id, patient_ids), unit.among(PATIENT.c.merged_into_id, patient_ids)),
            CONFIDENTIAL.c.ended_at.is_(None),
            CONFIDENTIAL.c.from_at <= unit.now,
            or_(CONFIDENTIAL.c.until_at.is_(None), CONFIDENTIAL.c.until_at > unit.now),
        )
        .order_by(CONFIDENTIAL.c.from_at, CONFIDENTIAL.c.id)
    )  # fmt: skip
    return {
        row.root: ConfidentialRequest(
            id=row.id,
            patient_id=row.root,
            channel=row.channel,
            contact_point_id=row.contact_point_id,
            from_at=row.from_at,
            until_at=row.until_at,
        )
        for row in rows
    }
