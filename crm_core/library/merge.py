"""Merge fields: the closed list a template may name, the check of a body, and its filling.

A body is Jinja by syntax and a fill-in form by rule: `{{ field }}`, with a filter or two, and
nothing else. The check walks the syntax tree, so what is not named here is refused when the
playbook is checked, not when a patient waits for the answer. The sandbox is the second lock.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from crm_core.errors import Refused


class MergeField(StrEnum):
    """Everything a template may ask for; the caller passes the values."""

    PATIENT_FIRST_NAME = "patient.first_name"
    PATIENT_FULL_NAME = "patient.full_name"
    CLINIC_NAME = "clinic.name"
    CLINIC_PHONE = "clinic.phone"
    STAFF_FIRST_NAME = "staff.first_name"
    LANE_TITLE = "lane.title"
    TODAY = "today"
    ABOUT_WHEN = "about.when"
    PERSONAL = "personal"


FILTERS = frozenset({"capitalize", "lower", "trim", "upper"})
"""The only filters: each changes letters or spaces and takes no argument."""

SAMPLE: Mapping[str, str] = {
    MergeField.PATIENT_FIRST_NAME: "Alexander",
    MergeField.PATIENT_FULL_NAME: "Alexander Featherstone",
    MergeField.CLINIC_NAME: "Willow Bend Family Clinic",
    MergeField.CLINIC_PHONE: "(212) 555-0100",
    MergeField.STAFF_FIRST_NAME: "Marguerite",
    MergeField.LANE_TITLE: "Scheduling",
    MergeField.TODAY: "Monday, November 23",
    MergeField.ABOUT_WHEN: "Wednesday, September 23 at 10:30 AM",
    MergeField.PERSONAL: "Your form is ready and waits for you at the front desk.",
}
"""Rather long values, to measure a template with."""

_BODIES = 512
"""Bodies kept compiled: a clinic's templates in all their languages. A body holds no patient."""
_FIELDS = frozenset(field.value for field in MergeField)
_BRACES = re.compile(r"[{}]")


class MissingField(Refused):
    """The template {template} needs {field}, which is not known here; fill it in or choose another template."""


class BraceInText(Refused):
    """The text of {template} would reach the patient with a brace in it ({where}); take the brace out."""


@functools.cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.globals.clear()
    environment.tests.clear()
    return environment


def problems(body: str) -> list[str]:
    """Everything about `body` that the fill-in form does not allow, each a sentence with its line."""
    if "{%" in body or "{#" in body:
        line = body[: min(at for at in (body.find("{%"), body.find("{#")) if at >= 0)].count("\n") + 1
        return [f"line {line}: only {{{{ field }}}} may stand in a template, no statement and no comment"]
    try:
        tree = _environment().parse(body)
    except TemplateSyntaxError as error:
        return [f"line {error.lineno}: this is not a merge field; write {{{{ patient.first_name }}}}"]
    return list(_tree_problems(tree))


@functools.lru_cache(maxsize=_BODIES)
def fields_of(body: str) -> tuple[str, ...]:
    """The merge fields of a body that has no `problems`, each once, in the order they appear."""
    seen: dict[str, None] = {}
    for output in _environment().parse(body).find_all(nodes.Output):
        for node in output.nodes:
            if not isinstance(node, nodes.TemplateData):
                seen.setdefault(_name(_unfiltered(node)) or "", None)
    return tuple(seen)


def usable(value: str | None) -> bool:
    """Whether a value may be merged: not blank, and no unfilled placeholder from elsewhere."""
    return value is not None and bool(value.strip()) and not _BRACES.search(value)


def fill(template: str, body: str, fields: Mapping[str, str | None]) -> str:
    """`body` with its fields filled in.

    `template` names it in errors. Raises MissingField for a field that is absent, blank, or
    itself an unfilled placeholder from elsewhere (`{first_name}` arrives in imported names).
    """
    world: dict[str, object] = {}
    for field in fields_of(body):
        value = fields.get(field)
        if value is None or not usable(value):
            raise MissingField(template=template, field=field)
        value = " ".join(value.split())
        group, _, name = field.partition(".")
        if name:
            inner = world.setdefault(group, {})
            assert isinstance(inner, dict)
            inner[name] = value
        else:
            world[group] = value
    text = _compiled(body).render(world).strip()
    if _BRACES.search(text):
        raise BraceInText(template=template, where="in its own words")
    return text


@functools.lru_cache(maxsize=_BODIES)
def _compiled(body: str) -> Template:
    return _environment().from_string(body)


def _tree_problems(tree: nodes.Template) -> Iterator[str]:
    for statement in tree.body:
        if not isinstance(statement, nodes.Output):
            yield f"line {statement.lineno}: only {{{{ field }}}} may stand in a template"
            continue
        for node in statement.nodes:
            if isinstance(node, nodes.TemplateData):
                if _BRACES.search(node.data):
                    yield f"line {node.lineno}: a single brace would reach the patient; write {{{{ field }}}}"
            else:
                yield from _expression_problems(node)


def _expression_problems(node: nodes.Expr) -> Iterator[str]:
    while isinstance(node, nodes.Filter) and node.node is not None:
        if node.name not in FILTERS:
            yield f"line {node.lineno}: there is no filter {node.name}; use {', '.join(sorted(FILTERS))}"
        elif node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            yield f"line {node.lineno}: the filter {node.name} takes nothing in brackets"
        node = node.node
    name = _name(node)
    if name is None:
        yield f"line {node.lineno}: only a field's name may stand between the braces"
    elif name not in _FIELDS:
        yield f"line {node.lineno}: there is no field {name}; the fields are {', '.join(MergeField)}"


def _unfiltered(node: nodes.Expr) -> nodes.Expr:
    while isinstance(node, nodes.Filter) and node.node is not None:
        node = node.node
    return node


def _name(node: nodes.Expr) -> str | None:
    """`today` or `patient.first_name`; None for anything that is not a plain name."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    return None
