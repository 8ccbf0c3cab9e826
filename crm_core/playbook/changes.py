"""What a draft changes against the playbook in force, section by section, in words.

Both are compared as their models hold them, so that comments and layout are no change, and a
default written out is none either. A section of several files is compared file by file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from crm_core.playbook.loader import Playbook, Section

ORDERED = frozenset({"rule", "lane"})
"""Tables of which the order means something: rules are tried, and lanes are listed, from the first on."""
_SAID = 12
"""Words named of one list; of the rest their number."""
_LONGEST = 60
"""Letters of a value that is quoted; a longer one is only said to differ."""
_NOT_SAID = frozenset({"key", "file"})


class Kind(StrEnum):
    """What happened to the thing at a key."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference: in which file, at which key, and what it is in words."""

    file: str
    key: str
    kind: Kind
    said: str


def changes(before: Playbook, after: Playbook, sections: Sequence[Section]) -> list[Change]:
    """Every difference, in the order of the sections."""
    found: list[Change] = []
    for section in sections:
        old, new = (_parts(playbook, section) for playbook in (before, after))
        for file in dict.fromkeys((*old, *new)):
            if file not in new:
                found.append(Change(file=file, key="", kind=Kind.REMOVED, said="the file is gone"))
            elif file not in old:
                found.append(Change(file=file, key="", kind=Kind.ADDED, said=f"the file is new{_title(new[file])}"))
            else:
                found += [
                    Change(file=file, key=".".join(path), kind=kind, said=said)
                    for path, kind, said in _compared((), old[file], new[file])
                ]
    return found


def _parts(playbook: Playbook, section: Section) -> dict[str, Mapping[str, Any]]:
    """What each file of the section says; the section's one file even where it is not there."""
    data = playbook.section(section.model).model_dump()
    if section.single:
        return {section.files[0]: data}
    return {each["file"]: each for each in data[section.name]}


_Found = tuple[tuple[str, ...], Kind, str]


def _compared(path: tuple[str, ...], old: Any, new: Any) -> Iterator[_Found]:
    # Equal tables may still be in another order, which the top of a file does not show.
    in_order = isinstance(old, Mapping) and (not path or path[-1] in ORDERED)
    if old == new and not in_order:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _tables(path, old, new)
    elif _is_list(old) and _is_list(new):
        yield from _lists(path, old, new)
    else:
        yield path, Kind.CHANGED, _was_is(old, new)


def _tables(path: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[_Found]:
    for key in dict.fromkeys((*old, *new)):
        if key in _NOT_SAID:
            continue
        here = (*path, str(key))
        if key not in new:
            yield here, Kind.REMOVED, f"taken away{_title(old[key])}"
        elif key not in old:
            yield here, Kind.ADDED, f"new{_title(new[key])}{_place(path, list(new), key)}"
        else:
            yield from _compared(here, old[key], new[key])
    if path[-1:] and path[-1] in ORDERED:
        yield from _moved(path, [key for key in old if key in new], [key for key in new if key in old])


def _moved(path: tuple[str, ...], old: list[str], new: list[str]) -> Iterator[_Found]:
    """The fewest that would have to move to make the one order the other."""
    kept: set[str] = set()
    for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        kept.update(new[block.b : block.b + block.size])
    for key in new:
        if key not in kept:
            yield (*path, key), Kind.MOVED, f"moved{_place(path, new, key)}"


def _lists(path: tuple[str, ...], old: Sequence[Any], new: Sequence[Any]) -> Iterator[_Found]:
    if any(isinstance(one, Mapping) for one in (*old, *new)):
        yield from _records(path, old, new)
        return
    were, are = (list(map(_spelt, each)) for each in (old, new))
    added, gone = [one for one in are if one not in were], [one for one in were if one not in are]
    if added:
        yield path, Kind.ADDED, f"{len(added)} added: {_several(added)}"
    if gone:
        yield path, Kind.REMOVED, f"{len(gone)} taken away: {_several(gone)}"
    if not added and not gone and not isinstance(old, frozenset):
        yield path, Kind.MOVED, f"in another order: {_several(are)}"


def _records(path: tuple[str, ...], old: Sequence[Any], new: Sequence[Any]) -> Iterator[_Found]:
    """Conditions and the like: those that ask the same of the same are compared, the others come and go."""
    rest = [each for each in old if each not in new]
    for each in (each for each in new if each not in old):
        twin = next((other for other in rest if _names(other) == _names(each)), None)
        if twin is None:
            yield path, Kind.ADDED, f"new: {_record(each)}"
            continue
        rest.remove(twin)
        for where, kind, said in _compared((), twin, each):
            yield (*path, *_names(each), *where), kind, said
    for each in rest:
        yield path, Kind.REMOVED, f"taken away: {_record(each)}"
    if sorted(map(repr, old)) == sorted(map(repr, new)):
        yield path, Kind.MOVED, "in another order"


def _names(record: Mapping[str, Any]) -> tuple[str, ...]:
    """What such a record is known by: its field and operator, or its first value."""
    if "field" in record:
        return (_spelt(record["field"]), _spelt(record["op"]))
    return tuple(_spelt(value) for value in list(record.values())[:1])


def _record(record: Mapping[str, Any]) -> str:
    """A condition as it is read, its field first; anything else as its values."""
    names = ("field", "op", "value") if "field" in record else tuple(record)
    return " ".join(_spelt(record[name]) for name in names if record[name] not in (None, ()))


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset)


def _title(value: Any) -> str:
    title = value.get("title") or value.get("name") if isinstance(value, Mapping) else None
    return f": “{title}”" if title else f": {_spelt(value)}" if not isinstance(value, Mapping) else ""


def _place(path: tuple[str, ...], keys: list[str], key: str) -> str:
    if not path[-1:] or path[-1] not in ORDERED:
        return ""
    at = keys.index(key)
    return f", after {keys[at - 1]}" if at else ", before all others"


def _was_is(old: Any, new: Any) -> str:
    was, is_now = _spelt(old), _spelt(new)
    if len(was) > _LONGEST or len(is_now) > _LONGEST or "\n" in was + is_now:
        return "reads differently"
    return f"was {was}, is {is_now}"


def _several(words: Sequence[str]) -> str:
    said = ", ".join(words[:_SAID])
    return said if len(words) <= _SAID else f"{said} and {len(words) - _SAID} more"


def _spelt(value: Any) -> str:
    """A value as a person would write it."""
    match value:
        case None | () | []:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case timedelta():
            hours, minutes = divmod(int(value.total_seconds()) // 60, 60)
            return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
        case list() | tuple():
            spelt = [_spelt(item) for item in value]
        case set() | frozenset():
            spelt = sorted(_spelt(item) for item in value)
        case Mapping():
            spelt = [f"{key} {_spelt(item)}" for key, item in value.items()]
        case _:
            return str(value)
    return ", ".join(spelt)
