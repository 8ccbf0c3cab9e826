"""Loading a playbook: files in, checked sections out, or every mistake at once.

A feature describes its part as a `Section` in its own `section.py`; app.py passes them all.
A section of one plain file is that file:

    Section(name="clinic", model=ClinicSection, files=("clinic.toml",))

A section of several files or with a wildcard gets them as a list under its own name, each a
mapping with `file` added, and `body` too for Markdown with `+++` TOML front matter:

    Section(name="templates", model=TemplatesSection, files=("templates/*.md",))
    class TemplatesSection(Strict):
        templates: tuple[TemplateFile, ...]
"""

from __future__ import annotations

import difflib
import fnmatch
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from crm_core.errors import CrmError
from crm_core.playbook.problems import Caution, KeyPath, PlaybookErrors, Problem, key_path, key_text
from crm_core.playbook.reading import line_of, parse, read_texts

M = TypeVar("M", bound=BaseModel)
P = TypeVar("P", bound=Problem)


class SectionNotLoaded(CrmError):
    """The playbook has no usable section {section}; run `crm playbook check`."""


class Strict(BaseModel):
    """The base of every section's model: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, kw_only=True)
class Playbook:
    """A clinic's rules, checked: look a section up by its model.

    `content` is what was read, text by file, and is all the store keeps. `version` is 0 until
    it is applied. `warnings` are what is legal but probably not meant.
    """

    name: str
    content: Mapping[str, str]
    sections: Mapping[type[BaseModel], BaseModel]
    version: int = 0
    warnings: tuple[Caution, ...] = ()

    def section(self, model: type[M]) -> M:
        """The section of that model; SectionNotLoaded where it is not part of this playbook."""
        found = self.sections.get(model)
        if not isinstance(found, model):
            raise SectionNotLoaded(section=model.__name__)
        return found


Check = Callable[[Playbook], Iterable[Problem]]
"""Yields what one section's rules find across the whole playbook: `Problem`s, or `Caution`s
for the legal but wrong. A check that asks for a section with mistakes of its own is left out."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """One feature's part of a playbook: its schema, its files, its checks.

    A pattern is matched part by part against the path below the folder (`danger/*.toml`).
    With `required=False` and no file, the model is made from nothing.
    """

    name: str
    model: type[BaseModel]
    files: tuple[str, ...]
    required: bool = True
    checks: tuple[Check, ...] = field(default=())

    @property
    def single(self) -> bool:
        """Whether the section is one file, rather than a list of them."""
        return len(self.files) == 1 and not set("*?[") & set(self.files[0])

    def claims(self, file: str) -> bool:
        """Whether `file` is one of this section's."""
        return any(
            file.count("/") == pattern.count("/") and all(map(fnmatch.fnmatchcase, file.split("/"), pattern.split("/")))
            for pattern in self.files
        )


def load(directory: Traversable | Path, sections: Sequence[Section], name: str | None = None) -> Playbook:
    """Read and check the playbook in `directory`, called `name` or as the folder is.

    Raises PlaybookErrors with every mistake, in the order of files and lines.
    """
    content, problems = read_texts(directory)
    return _build(name or directory.name, content, sections, problems, version=0, check=True)


def load_content(content: Mapping[str, str], sections: Sequence[Section], *, name: str, version: int = 0) -> Playbook:
    """The playbook of texts kept by the store; the checks across sections ran when it was applied."""
    return _build(name, content, sections, [], version=version, check=False)


def _build(
    name: str,
    content: Mapping[str, str],
    sections: Sequence[Section],
    problems: list[Problem],
    *,
    version: int,
    check: bool,
) -> Playbook:
    loaded: dict[type[BaseModel], BaseModel] = {}
    if content or not problems:
        problems += _unknown(content, sections)
        for section in sections:
            part = _section(section, content, problems)
            if part is not None:
                loaded[section.model] = part
    playbook = Playbook(name=name, content=dict(content), sections=loaded, version=version)
    warnings: list[Caution] = []
    for found in _checked(playbook, sections) if check else ():
        told = placed(found, content)
        if isinstance(told, Caution):
            warnings.append(told)
        else:
            problems.append(told)
    if problems:
        raise PlaybookErrors(name, _in_order(problems))
    return replace(playbook, warnings=tuple(_in_order(warnings)))


def _unknown(content: Mapping[str, str], sections: Sequence[Section]) -> Iterator[Problem]:
    """A problem for each file that no section claims: a rule that is never read is worse than none."""
    known = [pattern for section in sections for pattern in section.files]
    for file in content:
        if not any(section.claims(file) for section in sections):
            near = difflib.get_close_matches(file, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "move it elsewhere"
            yield Problem(file=file, message=f"is not a file of a playbook; {hint}")


def _section(section: Section, content: Mapping[str, str], problems: list[Problem]) -> BaseModel | None:
    """The section's model, or None with its problems added."""
    files = [file for file in sorted(content) if section.claims(file)]
    if not files and section.required:
        if not any(section.claims(problem.file) for problem in problems):
            problems.append(Problem(file=section.files[0], message="is missing"))
        return None
    parsed = {file: parse(file, content[file]) for file in files}
    broken = [part for part in parsed.values() if isinstance(part, Problem)]
    problems += broken
    whole = {file: part for file, part in parsed.items() if not isinstance(part, Problem)}
    if section.single and broken:
        return None
    data: dict[str, Any] = next(iter(whole.values()), {})
    if not section.single:
        data = {section.name: [{**part, "file": file} for file, part in whole.items()]} if files else {}
    try:
        model = section.model.model_validate(data)
    except ValidationError as error:
        found = [details for details in error.errors(include_url=False) if not _echoes(details)]
        problems += [_problem(section, list(whole), data, content, details) for details in found]
        return None
    return None if broken else model


def _problem(
    section: Section, files: list[str], data: dict[str, Any], content: Mapping[str, str], details: ErrorDetails
) -> Problem:
    """One pydantic error as a place in a file and a sentence."""
    path = _keys_of(data, details)
    file = files[0] if files else section.files[0]
    if not section.single and len(path) > 1 and path[0] == section.name and isinstance(path[1], int):
        file, path = files[path[1]], path[2:]
    line = line_of(file, content[file], path) if file in content else None
    return Problem(file=file, line=line, key=key_text(path), message=_sentence(details))


def _keys_of(data: Any, details: ErrorDetails) -> KeyPath:
    """The error's location as the file spells it: without pydantic's own steps, such as union members."""
    path: list[str | int] = []
    last = len(details["loc"]) - 1
    for index, step in enumerate(details["loc"]):
        if _holds(data, step):
            data = data[step]
            path.append(step)
        elif index == last and details["type"] == "missing":
            path.append(step)
    return tuple(path)


def _holds(data: Any, step: str | int) -> bool:
    return step in data if isinstance(data, dict) else isinstance(data, list) and step in range(len(data))


def _echoes(details: ErrorDetails) -> bool:
    """Whether a list is called too short only because its elements, reported too, are refused."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


_IN_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
    "model_type": "is not a table: write [name], or { key = value }",
    "dict_type": "is not a table: write [name], or { key = value }",
    "mapping_type": "is not a table: write [name], or { key = value }",
    "model_attributes_type": "is not a table: write [name], or { key = value }",
    "tuple_type": "is not a list: write it in brackets",
    "list_type": "is not a list: write it in brackets",
    "union_tag_not_found": "does not say what it looks at: give it a field",
}
"""What the checks of types say to someone who has never seen Python."""


def _sentence(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind in _IN_WORDS:
        return _IN_WORDS[kind]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    message = details["msg"][:1].lower() + details["msg"][1:]
    value = details["input"]
    return f"{message}, found {reprlib.repr(value)}" if isinstance(value, str | int | float) else message


def _checked(playbook: Playbook, sections: Sequence[Section]) -> Iterator[Problem]:
    for section in sections:
        for check in section.checks:
            try:
                yield from check(playbook)
            except SectionNotLoaded:
                continue


def placed(found: P, content: Mapping[str, str]) -> P:
    """`found` with its line filled in from its key."""
    if found.line is not None or not found.key or found.file not in content:
        return found
    return replace(found, line=line_of(found.file, content[found.file], key_path(found.key)))


def _in_order(problems: Iterable[Any]) -> list[Any]:
    """Without repeats, by file and then line."""
    return sorted(dict.fromkeys(problems), key=lambda one: (one.file, one.line or 0, one.key, one.message))
