"""4: patient search with candidates opened, checked, ranked and audited, against the token look-up alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import islice

from crm_core.access.model import Role
from crm_core.app import Crm
from crm_core.patients.model import PatientDraft
from crm_core.patients.region import clinic_region
from crm_core.patients.search import _tokens, find
from crm_core.patients.terms import terms_of
from crm_core.store import search_index
from tests.bench.figures import Figure, p95, seconds_of
from tests.bench.filling import drafts
from tests.bench.stores import staff

LIMIT = 8.0
QUERIES = 200
QUIET_MS = 20.0


def queries(count: int) -> list[str]:
    """What callers say, of patients who are there: names, beginnings of names, digits, birth dates, numbers."""
    rng = random.Random(11)  # noqa: S311 - test data
    step = max(1, count // QUERIES)
    people = list(islice(drafts(count), 0, None, step))[:QUERIES]
    return [_asked(person, number, rng) for number, person in enumerate(people)]


def _asked(person: PatientDraft, number: int, rng: random.Random) -> str:
    family, given, phone = str(person.family), str(person.given), person.contacts[0].value
    shapes = (
        f"{given} {family}",
        f"{family[:4]} {given[:3]}",
        f"{family} {person.birth_date}",
        phone[2:],
        f"{family} {phone[-4:]}",
        person.identifiers[0].value,
        f"{given} {family}"[: rng.randrange(5, 9)],
        str(person.birth_date),
    )
    return shapes[number % len(shapes)]


def figure(crm: Crm, size: int) -> Figure:
    """The 95th percentiles over the same queries, by turns."""
    actor = staff(crm, Role.AGENT)
    asked = queries(size)
    bare = _bare(crm, asked)
    whole: list[float] = []
    alone: list[float] = []
    for _ in range(2):
        for text, look_up in zip(asked, bare, strict=True):
            with crm.read(actor) as unit:
                alone.append(seconds_of(lambda unit=unit, look_up=look_up: look_up(unit)))  # type: ignore[misc]

            def search(text: str = text) -> None:
                with crm.read(actor) as unit:
                    find(unit, text)

            whole.append(seconds_of(search))
    measured = p95(whole) * 1000
    return Figure(
        number=4,
        work=f"patient search p95, {crm.store.dialect}",
        size=size,
        unit="ms",
        measured=measured,
        floor=p95(alone) * 1000,
        limit=LIMIT,
        note="" if measured <= QUIET_MS else f"over {QUIET_MS:g} ms",
    )


def _bare(crm: Crm, asked: Sequence[str]) -> list[Callable[..., list[int]]]:
    """The look-ups of the same words in the index, prepared."""
    made = []
    with crm.read(staff(crm, Role.AGENT)) as unit:
        region = clinic_region(unit)
        for text in asked:
            clauses = [_tokens(unit, term, region) for term in terms_of(text, unit.now.date())]
            made.append(lambda unit, clauses=clauses: search_index.find(unit, clauses, 501))
    return made
