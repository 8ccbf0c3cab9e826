"""How a login is written, so that one person has one."""

from __future__ import annotations

import re
import unicodedata

from crm_core.errors import UsageError

LONGEST_NAME = 120
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class BadLogin(UsageError):
    """A login is 1 to 64 letters, digits or . _ - @ and begins with a letter or digit; choose another."""


class BadName(UsageError):
    """A name is 1 to 120 printable characters; choose another."""


def fold_login(text: str) -> str:
    """The one spelling of a login: compatibility forms and case folded, blanks at the ends cut."""
    return unicodedata.normalize("NFKC", text.strip()).casefold()


def checked_login(text: str) -> str:
    """`fold_login`, refusing what could be mistaken for another login or obeyed by a terminal."""
    folded = fold_login(text)
    if not _LOGIN.fullmatch(folded):
        raise BadLogin
    return folded


def checked_name(text: str) -> str:
    """A person's name as staff see it, blanks at the ends cut; raises BadName."""
    name = unicodedata.normalize("NFC", text.strip())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadName
    return name
