"""Recording what patients agree to, and requests that bind every sender."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.consent.book import CONFIDENTIAL
from crm_core.channels.consent.ledger import NewEntry, append
from crm_core.channels.consent.model import About, Decision, How, SaidBy
from crm_core.channels.consent.wording_section import ConsentSection
from crm_core.errors import NotFound, UsageError
from crm_core.patients.proxies import speaker
from crm_core.patients.roots import present, records_of
from crm_core.patients.tables import LINK
from crm_core.playbook.service import in_force
from crm_core.store.feed import Topic
from crm_core.vault.fields import Field
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

LONGEST_EVIDENCE = 2_000
"""Characters of what an entry or a request rests on."""

SHOWN = frozenset({How.IN_PERSON, How.PHONE, How.FORM})
"""The ways in which the wording of the playbook is shown, or read out."""


@needs(Permission.CONSENT_RECORD)
def record(
    unit: WriteUnit,
    patient_id: int,
    *,
    channel: Channel,
    about: About,
    decision: Decision,
    how: How,
    evidence: str,
    proxy_id: int | None = None,
    by_staff: bool = False,
) -> int:
    """Write down what a patient said, or a proxy for the patient, or that staff decided it; returns the entry's id.

    `evidence` says what it rests on. The newest entry wins. UsageError where there is none, or where
    plain content is granted without the warning; NotFound for a patient or proxy that is not there.
    """
    root = present(unit, patient_id)
    words = _words(evidence, "what this rests on: who said it, and to whom")
    if proxy_id is not None:
        speaker(unit, root, proxy_id)
    wording = in_force(unit).section(ConsentSection)
    version = wording.version if how in SHOWN and wording.text(about, None) is not None else None
    if about is About.PLAIN_CONTENT and decision is Decision.GRANTED and version is None:
        raise UsageError(
            problem="Details over a plain channel need the warning first, and a text cannot show it",
            remedy="read it out or hand it over (consent.toml), and record it as in_person, phone or form",
        )
    said_by = SaidBy.PROXY if proxy_id is not None else SaidBy.STAFF if by_staff else SaidBy.PATIENT
    entry = NewEntry(
        patient_id=root,
        channel=channel,
        about=about,
        decision=decision,
        said_by=said_by,
        proxy_id=proxy_id,
        how=how,
        wording_version=version,
        evidence=words,
    )
    return append(unit, entry)


@needs(Permission.CONSENT_RECORD)
def ask_for_confidence(
    unit: WriteUnit,
    patient_id: int,
    *,
    channel: Channel,
    contact_point_id: int | None,
    words: str,
    from_at: datetime | None = None,
    until_at: datetime | None = None,
) -> int:
    """Keep that a patient is to be reached this way only, from now or from a time on; returns the request's id.

    One that stood until then ends where this one begins. UsageError where the number is not the
    patient's, or the time ends before it begins.
    """
    root = present(unit, patient_id)
    begins = from_at or unit.now
    if until_at is not None and until_at <= max(begins, unit.now):
        raise UsageError(problem="The request would end before it begins", remedy="give a later end, or none")
    if contact_point_id is not None:
        _is_theirs(unit, root, contact_point_id)
    said = _words(words, "what the patient asked for, in a few words")
    standing = (CONFIDENTIAL.c.patient_id.in_(records_of(root)), CONFIDENTIAL.c.ended_at.is_(None))
    unit.execute(
        update(CONFIDENTIAL)
        .where(*standing, CONFIDENTIAL.c.from_at >= begins)
        .values(ended_at=unit.now, ended_by=unit.actor.staff_id)
    )
    later = (CONFIDENTIAL.c.until_at.is_(None)) | (CONFIDENTIAL.c.until_at > begins)
    unit.execute(update(CONFIDENTIAL).where(*standing, later).values(until_at=begins))
    number = unit.new_id("confidential_request")
    unit.execute(
        insert(CONFIDENTIAL).values(
            id=number,
            patient_id=root,
            channel=channel,
            contact_point_id=contact_point_id,
            from_at=begins,
            until_at=until_at,
            recorded_by=unit.actor.staff_id,
            recorded_at=unit.now,
            words_sealed=unit.seal(Field.CONFIDENTIAL_WORDS, number, said),
        )
    )
    unit.audit(Tag.CONFIDENTIAL_RECORDED, number, why=f"patient {root} {channel}")
    unit.changed(Topic.PATIENTS)
    return number


@needs(Permission.CONSENT_RECORD)
def end_confidence(unit: WriteUnit, patient_id: int) -> list[int]:
    """The patient may be reached any way again; returns the requests that ended. NotFound where there is none."""
    root = present(unit, patient_id)
    still = (CONFIDENTIAL.c.until_at.is_(None)) | (CONFIDENTIAL.c.until_at > unit.now)
    ended = sorted(
        unit.execute(
            update(CONFIDENTIAL)
            .where(CONFIDENTIAL.c.patient_id.in_(records_of(root)), CONFIDENTIAL.c.ended_at.is_(None), still)
            .values(ended_at=unit.now, ended_by=unit.actor.staff_id)
            .returning(CONFIDENTIAL.c.id)
        ).scalars()
    )
    if not ended:
        raise NotFound(kind="request for confidential communication of", id=f"P-{patient_id}")
    unit.audit(Tag.CONFIDENTIAL_ENDED, *ended, why=f"patient {root}")
    unit.changed(Topic.PATIENTS)
    return ended


def _is_theirs(unit: ReadUnit, root: int, contact_point_id: int) -> None:
    theirs = (LINK.c.contact_point_id == contact_point_id, LINK.c.patient_id.in_(records_of(root)))
    if unit.scalar(select(LINK.c.contact_point_id).where(*theirs).limit(1)) is None:
        raise UsageError(problem="That number or address is not on the patient's record", remedy="link it first")


def _words(given: str, wanted: str) -> str:
    words = " ".join(given.split())
    if not words:
        raise UsageError(problem="The words are missing", remedy=f"say {wanted}")
    if len(words) > LONGEST_EVIDENCE:
        raise UsageError(problem=f"That is longer than {LONGEST_EVIDENCE} characters", remedy="keep to what matters")
    return words
