"""On which line of a TOML file each key and array element stands.

The standard parser gives values without their places, so this second pass finds them. It runs
only when there is a problem to report, over text that tomllib has already accepted.
"""

from __future__ import annotations

import re

from crm_core.playbook.problems import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_PART = re.compile(r"[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([A-Za-z0-9_-]+))[ \t]*")
_STRING = re.compile(
    r'''"""(?:[^\\]|\\.)*?"""+'''
    r"""|'''.*?'''+"""
    r'''|"(?:[^"\\]|\\.)*"'''
    r"""|'[^']*'""",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}\n#]*")


def lines_of(text: str) -> dict[KeyPath, int]:
    """Every table, key and array element of `text` with its line, counted from 1."""
    return _Places(text).found


class _Places:
    """One walk through a document, front to back."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[KeyPath, int] = {}
        self._counted = (0, 1)
        self._tables: dict[KeyPath, int] = {}
        base: KeyPath = ()
        while self._skip():
            if self.text[self.at] == "[":
                base = self._header()
            else:
                self._pair(base)

    def _skip(self) -> bool:
        """Pass blanks and comments; whether anything is left."""
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at < len(self.text)

    def _note(self, path: KeyPath, at: int) -> None:
        """Remember where `path` was first seen; positions only grow, so lines are counted once."""
        since, line = self._counted
        line += self.text.count("\n", since, at)
        self._counted = (at, line)
        self.found.setdefault(path, line)

    def _key(self) -> KeyPath:
        """A possibly dotted key; leaves the position behind it."""
        parts: list[str] = []
        while match := _PART.match(self.text, self.at):
            parts.append(next(group for group in match.groups() if group is not None))
            self.at = match.end()
            if self.text[self.at : self.at + 1] != ".":
                break
            self.at += 1
        return tuple(parts)

    def _header(self) -> KeyPath:
        """`[a.b]` or `[[a.b]]`: the path its keys live under, array tables counted."""
        start = self.at
        double = self.text.startswith("[[", start)
        self.at += 2 if double else 1
        names = self._key()
        self.at += 2 if double else 1
        path: KeyPath = ()
        for name in names[:-1]:
            path += (name,)
            if path in self._tables:
                path += (self._tables[path],)
        path += names[-1:]
        if double:
            self._note(path, start)
            self._tables[path] = self._tables.get(path, -1) + 1
            path += (self._tables[path],)
        self._note(path, start)
        return path

    def _pair(self, base: KeyPath) -> None:
        """`key = value`, with what the value holds."""
        start = self.at
        path = base + self._key()
        if self.text[self.at : self.at + 1] != "=":
            self.at = len(self.text)
            return
        self._note(path, start)
        self.at += 1
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip()
        opening = self.text[self.at : self.at + 1]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline(path)
        else:
            match = (_STRING if opening in {'"', "'"} else _BARE).match(self.text, self.at)
            self.at = match.end() if match else len(self.text)

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while self._skip() and self.text[self.at] != "]":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._note((*path, index), self.at)
            self._value((*path, index))
            index += 1
        self.at += 1

    def _inline(self, path: KeyPath) -> None:
        self.at += 1
        while self._skip() and self.text[self.at] != "}":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._pair(path)
        self.at += 1
