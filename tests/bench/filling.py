"""Filling stores fast: rows as the services would leave them, sealed for real, by Core inserts."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import accumulate, islice
from typing import Any

from sqlalchemy import insert

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.inbox.model import END_OF_TIME, State, urgency_of
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import Conversation
from crm_core.patients.model import ContactKind, ContactUse, DraftContact, DraftIdentifier, Origin, PatientDraft
from crm_core.patients.preparing import Prepared, prepare
from crm_core.patients.tables import IDENTIFIER, LINK, PATIENT, POINT
from crm_core.store import search_index
from crm_core.vault.fields import Field
from crm_core.words import Channel, Priority
from crm_core.work.units import WriteUnit
from tests.bench.figures import say
from tests.bench.stores import NOW

CHUNK = 5_000
TELL_EVERY = 100_000
_CATEGORIES = ("refill", "scheduling", "billing", "result_question", "clinical_advice", "form", "other")
_PRIORITIES = (Priority.ROUTINE,) * 7 + (Priority.URGENT, Priority.URGENT, Priority.ASAP)
_STARTS = ("Ba", "Be", "Bo", "Ca", "Co", "Da", "De", "Do", "El", "Fa", "Fe", "Ga", "Gu", "Ha", "He", "Ho", "Is", "Ja",
           "Jo", "Ka", "Ke", "La", "Le", "Lo", "Ma", "Me", "Mo", "Na", "Ne", "Or", "Pa", "Pe", "Ra", "Ro", "Sa", "Se",
           "So", "Ta", "Te", "Va", "Wi", "Ya", "Ze")  # fmt: skip
_MIDDLES = (
    "ll",
    "rr",
    "n",
    "m",
    "r",
    "l",
    "v",
    "nd",
    "rt",
    "st",
    "lk",
    "ns",
    "d",
    "g",
    "sh",
    "b",
    "k",
    "mm",
    "tt",
    "z",
)
_ENDS = (
    "er",
    "en",
    "ez",
    "an",
    "on",
    "a",
    "o",
    "i",
    "ley",
    "ton",
    "man",
    "son",
    "ski",
    "ard",
    "is",
    "ett",
    "ova",
    "ams",
)


def _names(count: int, seed: int) -> tuple[list[str], list[float]]:
    """So many made-up names with the weights of Zipf's law, as real names have them."""
    words = [start + middle + end for start in _STARTS for middle in _MIDDLES for end in _ENDS]
    random.Random(seed).shuffle(words)  # noqa: S311 - test data
    chosen = words[:count]
    return chosen, list(accumulate(1 / (rank + 8) for rank in range(len(chosen))))


FAMILIES, _FAMILY_WEIGHTS = _names(12_000, 1)
GIVEN, _GIVEN_WEIGHTS = _names(900, 2)


def drafts(count: int) -> Iterator[PatientDraft]:
    """Made-up patients, the same each time; every fifth number is shared with the one before."""
    rng = random.Random(7)  # noqa: S311 - test data
    for number in range(count):
        shared = number % 5 == 4
        phone = f"+1{2 + number % 7}12{2_000_000 + (number - shared) % 7_999_999:07d}"
        yield PatientDraft(
            given=rng.choices(GIVEN, cum_weights=_GIVEN_WEIGHTS)[0],
            family=rng.choices(FAMILIES, cum_weights=_FAMILY_WEIGHTS)[0],
            birth_date=(date(1930, 1, 1) + timedelta(days=rng.randrange(34_000))).isoformat(),
            language="en",
            identifiers=(DraftIdentifier(system="urn:bench:mrn", value=f"M{number:08d}", kind="MR"),),
            contacts=(DraftContact(kind=ContactKind.PHONE, value=phone),),
        )


def patients(crm: Crm, count: int) -> None:
    """`count` patients with an identifier, a number and their tokens."""
    points: dict[int, int] = {}
    made = iter(drafts(count))
    done = 0
    while chunk := [prepare(crm.vault, draft, "US") for draft in islice(made, CHUNK)]:
        with crm.write(SYSTEM) as unit:
            _store(unit, chunk, points)
        done += len(chunk)
        _tell("patients", done, count)


def _store(unit: WriteUnit, chunk: list[Prepared], points: dict[int, int]) -> None:
    ids = unit.new_ids("patient", len(chunk))
    pairs = list(zip(ids, chunk, strict=True))
    unit.execute(insert(PATIENT), [_patient(unit, row_id, item) for row_id, item in pairs])
    numbers = unit.new_ids("patient_identifier", len(chunk))
    held = zip(numbers, pairs, strict=True)
    unit.execute(insert(IDENTIFIER), [_identifier(unit, number, *pair) for number, pair in held])
    new = {item.contacts[0].token: item for item in chunk if item.contacts[0].token not in points}
    points |= zip(new, unit.new_ids("contact_point", len(new)), strict=True)
    if new:
        unit.execute(insert(POINT), [_point(unit, points[token], item) for token, item in new.items()])
    unit.execute(insert(LINK), [_link(unit, row_id, points[item.contacts[0].token]) for row_id, item in pairs])
    search_index.put(unit, [(row_id, item.tokens) for row_id, item in pairs])


def _patient(unit: WriteUnit, row_id: int, item: Prepared) -> dict[str, Any]:
    draft = item.draft
    return {
        "id": row_id,
        "family_sealed": unit.seal(Field.PATIENT_FAMILY, row_id, draft.family),
        "given_sealed": unit.seal(Field.PATIENT_GIVEN, row_id, draft.given),
        "birth_date_sealed": unit.seal(Field.PATIENT_BIRTH_DATE, row_id, draft.birth_date),
        "family_mark": item.family_mark,
        "birth_mark": item.birth_mark,
        "language": "en",
        "deceased": False,
        "active": True,
        "created_at": unit.now,
        "updated_at": unit.now,
        "version": 1,
    }


def _identifier(unit: WriteUnit, row_id: int, patient_id: int, item: Prepared) -> dict[str, Any]:
    held = item.identifiers[0]
    return {
        "id": row_id,
        "patient_id": patient_id,
        "system": held.system,
        "kind": held.kind,
        "old": False,
        "value_sealed": unit.seal(Field.IDENTIFIER_VALUE, row_id, held.value),
        "value_token": held.token,
    }


def _point(unit: WriteUnit, row_id: int, item: Prepared) -> dict[str, Any]:
    contact = item.contacts[0]
    return {
        "id": row_id,
        "kind": ContactKind.PHONE,
        "value_sealed": unit.seal(Field.CONTACT_VALUE, row_id, contact.normal.value),
        "value_token": contact.token,
        "last_four_token": contact.last_four_token,
        "created_at": unit.now,
    }


def _link(unit: WriteUnit, patient_id: int, point_id: int) -> dict[str, Any]:
    return {
        "patient_id": patient_id,
        "contact_point_id": point_id,
        "use": ContactUse.MOBILE,
        "rank": 1,
        "origin": Origin.IMPORT,
        "since": unit.now,
    }


def conversations(crm: Crm, count: int, *, still_open: int, lane: str | None = None, people: int = 0) -> None:
    """`count` conversations over all lanes (or in `lane`), `still_open` of them not closed.

    The first `people` patients have them in turn; without any they are unknown senders'.
    """
    with crm.read(SYSTEM) as unit:
        lanes = [lane] if lane else sorted(inbox_rules(unit).lanes.lane)
    every = max(1, count // still_open) if still_open else count + 1
    rows = (number % every == 0 and number // every < still_open for number in range(count))
    done = 0
    for chunk in _chunks(rows):
        with crm.write(SYSTEM) as unit:
            ids = unit.new_ids("conversation", len(chunk))
            unit.execute(
                insert(Conversation.__table__),  # type: ignore[arg-type]
                [
                    _conversation(unit, row_id, is_open, lanes, people)
                    for row_id, is_open in zip(ids, chunk, strict=True)
                ],
            )
        done += len(chunk)
        _tell("conversations", done, count)


def _chunks(rows: Iterable[bool]) -> Iterator[list[bool]]:
    made = iter(rows)
    while chunk := list(islice(made, CHUNK)):
        yield chunk


def _conversation(unit: WriteUnit, row_id: int, is_open: bool, lanes: list[str], people: int) -> dict[str, Any]:
    # Fibonacci hashing: fields vary without following the id or each other.
    mixed = row_id * 11400714819323198485 % 2**64 >> 32
    priority = _PRIORITIES[mixed % len(_PRIORITIES)]
    since = NOW - timedelta(minutes=mixed % 3_000) if is_open else NOW - timedelta(minutes=3_000 + mixed % 500_000)
    due_at = since + timedelta(hours=4 + mixed % 60) if is_open and mixed % 9 else None
    return {
        "id": row_id,
        "patient_id": 1 + mixed % people if people else None,
        "channel": Channel.SMS,
        "category": _CATEGORIES[mixed % len(_CATEGORIES)],
        "reason": "bench",
        "priority": priority,
        "urgency": urgency_of(priority),
        "lane": lanes[mixed % len(lanes)],
        "state": State.OPEN if is_open else State.CLOSED,
        "opened_at": since,
        "waiting_since": since,
        "last_message_at": since,
        "due_at": due_at,
        "due_order": due_at or END_OF_TIME,
        "late_at": None,
        "follow_up_at": NOW + timedelta(days=1) if is_open and due_at is None else None,
        "outcome": None if is_open else "resolved",
        "closed_at": None if is_open else since,
        "playbook_version": 1,
        "next_action_sealed": unit.seal(Field.NEXT_ACTION, row_id, "Read it and answer") if is_open else None,
    }


def _tell(what: str, done: int, count: int) -> None:
    if count > TELL_EVERY and (done % TELL_EVERY == 0 or done == count):
        say(f"  {done:,} of {count:,} {what}")
