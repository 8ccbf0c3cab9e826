"""The words of an HTML letter, as a person would read them; what is hidden or runs is left out."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from typing_extensions import override

_UNREAD = frozenset({"script", "style", "head", "title", "template", "noscript", "object", "svg"})
_BREAKS = frozenset({"br", "hr", "tr", "li"})
_BLOCKS = frozenset({"p", "div", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "pre"})
_DEEPEST = 20
"""Quotations within quotations that are marked one by one; nobody reads deeper."""
LONGEST_MARKUP = 500_000
"""Characters of markup that are read: far more than the text that is kept of a message."""
_SPACES = re.compile(r"[ \t\r\f\v\n]+")
_MANY_LINES = re.compile(r"\n{3,}")
_EDGES = re.compile(r" *\n *")


def html_text(markup: str) -> str:
    """The text of `markup`: blocks and line breaks as lines, quoted blocks marked by `> `, pictures left out."""
    reader = _Reader()
    reader.feed(markup[:LONGEST_MARKUP])
    reader.close()
    text = _MANY_LINES.sub("\n\n", _EDGES.sub("\n", reader.text))
    return text.strip()


class _Reader(HTMLParser):
    """Gathers words. Mail programs write broken markup, so nothing is trusted to be closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._levels: list[list[str]] = [[]]
        self._unread = 0
        self._deeper = 0

    @property
    def text(self) -> str:
        while len(self._levels) > 1:
            self._end_quote()
        return "".join(self._levels[0])

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNREAD:
            self._unread += 1
        elif tag == "blockquote":
            if len(self._levels) < _DEEPEST:
                self._levels.append([])
            else:
                self._deeper += 1
        elif tag in _BLOCKS:
            self._break(2 if tag == "p" else 1)
        elif tag in _BREAKS:
            self._say("\n")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in _UNREAD:
            self._unread = max(0, self._unread - 1)
        elif tag == "blockquote" and self._deeper:
            self._deeper -= 1
        elif tag == "blockquote" and len(self._levels) > 1:
            self._end_quote()
        elif tag in _BLOCKS:
            self._break(2 if tag == "p" else 1)

    @override
    def handle_data(self, data: str) -> None:
        if not self._unread:
            self._say(_SPACES.sub(" ", data.replace("\xa0", " ")))

    def _say(self, words: str) -> None:
        self._levels[-1].append(words)

    def _break(self, lines: int) -> None:
        """Begin a new line, with an empty one before it where two are wanted; never more than that."""
        said = "".join(self._levels[-1][-4:]).rstrip(" ")
        self._say("\n" * (lines - (len(said) - len(said.rstrip("\n")))))

    def _end_quote(self) -> None:
        inner = _MANY_LINES.sub("\n\n", _EDGES.sub("\n", "".join(self._levels.pop()))).strip()
        self._say("\n" + "\n".join(f"> {line}".rstrip() for line in inner.split("\n")) + "\n")
