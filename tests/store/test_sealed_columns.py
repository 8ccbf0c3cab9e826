"""Sealed columns: selected and nothing else. ORDER BY on a composite passes SQLAlchemy, so the source is read."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import configure_mappers

import crm_core
from crm_core.patients.tables import Patient
from crm_core.store.base import Base
from crm_core.vault.sealed import Sealed

ROOT = Path(crm_core.__path__[0])
ORDERING = frozenset({"order_by", "group_by", "distinct", "asc", "desc", "nulls_last", "nulls_first", "partition_by"})
COMPARING = frozenset({"in_", "not_in", "like", "ilike", "contains", "startswith", "endswith", "between", "collate"})


def _sealed() -> dict[str, set[str]]:
    """By class, the attributes that open to a patient, and the columns behind them."""
    configure_mappers()
    found: dict[str, set[str]] = {}
    for mapper in Base.registry.mappers:
        names = {each.key for each in mapper.composites if each.composite_class is not None}
        columns = {column.key for column in mapper.local_table.c if column.key.endswith("_sealed")}
        if names or columns:
            found[mapper.class_.__name__] = names | columns
    return found


def test_the_lint_knows_every_sealed_attribute() -> None:
    found = _sealed()
    assert {"family", "given", "family_sealed"} <= found["Patient"]
    assert {"Conversation", "Message", "Note", "Step", "Draft", "ContactPoint", "PatientIdentifier"} <= set(found)


def test_no_statement_orders_or_compares_a_sealed_column() -> None:
    misuses = [
        f"{path.relative_to(ROOT.parent)}:{misuse}"
        for path in sorted(ROOT.rglob("*.py"))
        if "migrations" not in path.parts
        for misuse in _misuses(path.read_text(encoding="utf-8"))
    ]
    assert misuses == []


@pytest.mark.parametrize(
    "statement",
    [
        "select(Patient.id).order_by(Patient.family)",
        "select(Patient.id).order_by(Patient.family.desc())",
        "select(PATIENT.c.id).order_by(PATIENT.c.family_sealed)",
        "select(func.max(Patient.family))",
        "select(Patient.id).where(Patient.family == other)",
        "select(Patient.id).where(Patient.given.in_(names))",
        "select(Patient.id).distinct(Patient.birth_date)",
        "select(Message.id).group_by(Message.body)",
    ],
)
def test_the_lint_finds_each_misuse(statement: str) -> None:
    assert list(_misuses(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "select(Patient.family, Patient.given).where(Patient.id == 1).order_by(Patient.id)",
        "rows.order_by(row.family)",
        "update(Patient).where(Patient.family_sealed.is_(None))",
    ],
)
def test_the_lint_lets_pass_what_only_selects(statement: str) -> None:
    assert not list(_misuses(statement))


def _misuses(source: str) -> Iterator[str]:
    sealed = _sealed()
    any_column = {name for names in sealed.values() for name in names if name.endswith("_sealed")}

    def is_sealed(node: ast.AST) -> bool:
        if not isinstance(node, ast.Attribute):
            return False
        of = node.value
        named = isinstance(of, ast.Name) and node.attr in sealed.get(of.id, ())
        return named or (isinstance(of, ast.Attribute) and of.attr == "c" and node.attr in any_column)

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            parts: list[ast.AST] = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            method, of = node.func.attr, node.func.value
            is_function = isinstance(of, ast.Name) and of.id == "func" and method != "count"
            parts = list(node.args) if method in ORDERING or is_function else []
            parts += [of] if method in ORDERING | COMPARING else []
        else:
            continue
        for part in parts:
            if any(is_sealed(inner) for inner in ast.walk(part)) and not _is_statement(part):
                yield f"{node.lineno} {ast.unparse(node)[:80]}"


def _is_statement(part: ast.AST) -> bool:
    """Whether what a method is called on is a whole statement, whose own columns may well be sealed."""
    return any(
        isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in {"select", "update"}
        for inner in ast.walk(part)
    )


def test_comparing_a_sealed_value_is_refused_where_sqlalchemy_asks() -> None:
    misuses: list[Callable[[], object]] = [
        lambda: Patient.family == "x",
        lambda: Patient.family.like("x"),
        lambda: Patient.given.in_(["x"]),
    ]
    for misuse in misuses:
        with pytest.raises(TypeError, match="blind token"):
            misuse()


def test_a_sealed_value_tells_nothing_of_itself() -> None:
    from crm_core.vault.fields import Field

    assert "secret" not in repr(Sealed(Field.PATIENT_FAMILY, 1, b"secret"))
