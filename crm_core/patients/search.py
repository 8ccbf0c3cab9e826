"""Finding patients by what a caller can say: names, phone digits, MRN, birth date or year, e-mail.

The blind index names candidates, newest first; name tokens are truncated, so candidates are
opened and checked before anything is shown. See architecture.md, "Finding sealed things".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, func, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.patients.briefs import briefs
from crm_core.patients.contacts import dialled, normal
from crm_core.patients.matching import closeness, name_parts, similarity
from crm_core.patients.model import ContactKind, Found
from crm_core.patients.region import clinic_region
from crm_core.patients.tables import IDENTIFIER, LINK, POINT, ContactPoint, Patient
from crm_core.patients.terms import Term, TermKind, terms_of
from crm_core.store import search_index
from crm_core.vault.tokens import PREFIXES, TokenKind, fold_name, name_words, sought
from crm_core.work.units import ReadUnit

LAST_FOUR = 4
MOST_CANDIDATES = 500
"""Opened at most; beyond it the answer is to type more (architecture.md)."""
ADD_A_LETTER = "More than 500 may match; add a letter, a birth date or the last four digits."
NOTHING_TO_LOOK_FOR = "Type a name of three letters or more, a phone number, an MRN, an e-mail or a birth date."


_CANDIDATES = select(
    Patient.id, func.coalesce(Patient.merged_into_id, Patient.id).label("root"), Patient.family, Patient.given
).where(Patient.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class _Hit:
    patient_id: int
    score: float
    index_id: int


@needs(Permission.PATIENT_READ)
def find(unit: ReadUnit, text: str, limit: int = 20) -> Found:
    """The patients that match every term of `text`, best first, at most `limit`.

    Exact names come before beginnings, beginnings before misspellings; within those the
    newest first. What was merged is found under its old names and answers as who it is now.
    """
    terms = terms_of(text, unit.now.date())
    if not terms:
        return Found(patients=(), hint=NOTHING_TO_LOOK_FOR)
    with unit.listing("patient_search", *sorted({term.kind.value for term in terms})):
        hits, too_many = _search(unit, terms)
        best = sorted(hits, key=lambda hit: (-hit.score, -hit.index_id))
        order = list(dict.fromkeys(hit.patient_id for hit in best))[:limit]
        return Found(patients=briefs(unit, order), hint=ADD_A_LETTER if too_many else None)


def _search(unit: ReadUnit, terms: Sequence[Term]) -> tuple[list[_Hit], bool]:
    """Hits by the exact index, then by last four digits, then by similar names."""
    region = clinic_region(unit)
    ids, too_many = _narrowed(unit, terms, lambda term: _tokens(unit, term, region))
    hits = _checked(unit, terms, ids, closeness)
    if not hits and any(_has_suffix(term) for term in terms):
        ids, too_many = _narrowed(unit, terms, lambda term: _suffix_tokens(unit, term, region))
        hits = _with_suffixes(unit, terms, _checked(unit, terms, ids, closeness))
    if not hits and any(term.kind is TermKind.NAME and len(term.text) > PREFIXES[0] for term in terms):
        begun = [replace(t, text=t.text[: PREFIXES[0]]) if t.kind is TermKind.NAME else t for t in terms]
        ids, too_many = _narrowed(unit, begun, lambda term: _tokens(unit, term, region))
        hits = _checked(unit, terms, ids, similarity)
    return hits, too_many


def _narrowed(
    unit: ReadUnit, terms: Sequence[Term], tokens: Callable[[Term], frozenset[int]]
) -> tuple[list[int], bool]:
    """The candidates; where they are too many, those whose long names are meant whole."""
    clauses = [tokens(term) for term in terms]
    ids = search_index.find(unit, clauses, MOST_CANDIDATES + 1)
    if len(ids) <= MOST_CANDIDATES:
        return ids, False
    whole = [
        frozenset({unit.vault.name_token(term.text)}) if term.kind is TermKind.NAME else clause
        for term, clause in zip(terms, clauses, strict=True)
    ]
    if whole != clauses:
        fewer = search_index.find(unit, whole, MOST_CANDIDATES + 1)
        if 0 < len(fewer) <= MOST_CANDIDATES:
            return fewer, False
    return ids[:MOST_CANDIDATES], True


def _tokens(unit: ReadUnit, term: Term, region: str) -> frozenset[int]:
    """Every token under which a patient who matches this term may be indexed."""
    vault = unit.vault
    match term.kind:
        case TermKind.NAME:
            return frozenset({vault.name_token(sought(term.text))})
        case TermKind.EMAIL:
            form = normal(ContactKind.EMAIL, term.text, region)
            return frozenset({vault.token(TokenKind.EMAIL, form.key)} if form else ())
        case TermKind.DATE:
            return frozenset(vault.token(TokenKind.BIRTH_DATE, day) for day in term.dates)
        case TermKind.CODE:
            begun = {vault.name_token(sought(word)) for word in name_words(term.text)}
            return frozenset(begun | {vault.token(TokenKind.MRN, term.text)})
        case TermKind.NUMBER:
            tokens = {vault.token(TokenKind.MRN, value) for value in (term.text, term.digits)}
            tokens |= {vault.token(TokenKind.BIRTH_DATE, day) for day in term.dates}
            if len(term.digits) == LAST_FOUR:
                tokens.add(vault.token(TokenKind.LAST_FOUR, term.digits))
                tokens.add(vault.token(TokenKind.BIRTH_DATE, term.digits))
            elif form := normal(ContactKind.PHONE, term.text, region):
                tokens.add(vault.token(TokenKind.PHONE, form.key))
            return frozenset(tokens)


def _has_suffix(term: Term) -> bool:
    return term.kind is TermKind.NUMBER and len(term.digits) > LAST_FOUR and not term.dates


def _suffix_tokens(unit: ReadUnit, term: Term, region: str) -> frozenset[int]:
    """As `_tokens`, but a number stands for all that end in its last four digits."""
    if not _has_suffix(term):
        return _tokens(unit, term, region)
    return frozenset({unit.vault.token(TokenKind.LAST_FOUR, term.digits[-4:])})


def _checked(
    unit: ReadUnit,
    terms: Sequence[Term],
    index_ids: Sequence[int],
    score: Callable[[str, Sequence[str]], float],
) -> list[_Hit]:
    """The candidates whose opened names really match; exact tokens of the rest need no opening."""
    if not index_ids:
        return []
    names = [term for term in terms if term.kind in (TermKind.NAME, TermKind.CODE)]
    rows = unit.execute(_CANDIDATES, {"ids": index_ids}).all()
    codes = {term.text: _holders(unit, index_ids, term) for term in names if term.kind is TermKind.CODE}
    hits = []
    for row in rows:
        parts = name_parts(unit.open(row.family), unit.open(row.given)) if names else ()
        scores = [1.0 if row.id in codes.get(term.text, ()) else score(fold_name(term.text), parts) for term in names]
        if all(scores):
            hits.append(_Hit(patient_id=row.root, score=sum(scores), index_id=row.id))
    return hits


def _holders(unit: ReadUnit, index_ids: Sequence[int], term: Term) -> frozenset[int]:
    token = unit.vault.token(TokenKind.MRN, term.text)
    held = select(IDENTIFIER.c.patient_id).where(
        IDENTIFIER.c.value_token == token, IDENTIFIER.c.patient_id.in_(index_ids)
    )
    return frozenset(unit.scalars(held))


def _with_suffixes(unit: ReadUnit, terms: Sequence[Term], hits: Sequence[_Hit]) -> list[_Hit]:
    """The hits that have a phone number ending in the digits of each number sought."""
    ends = [term.digits.lstrip("0") for term in terms if _has_suffix(term)]
    if not hits:
        return []
    four = [unit.vault.token(TokenKind.LAST_FOUR, end[-4:]) for end in ends]
    rows = unit.execute(
        select(LINK.c.patient_id, ContactPoint.value)
        .join(ContactPoint, ContactPoint.id == LINK.c.contact_point_id)
        .where(LINK.c.patient_id.in_([hit.index_id for hit in hits]), POINT.c.last_four_token.in_(four))
    )
    numbers: dict[int, list[str]] = {}
    for row in rows:
        numbers.setdefault(row.patient_id, []).append(dialled(unit.open(row.value)))
    return [
        hit
        for hit in hits
        if all(any(number.endswith(end) for number in numbers.get(hit.index_id, ())) for end in ends)
    ]
