"""Secrets come from a prompt or from standard input, never from an argument."""

from __future__ import annotations

import sys

from crm_core.errors import UsageError


class NothingGiven(UsageError):
    """No {what} was given; type it at the prompt, or give it as a line on standard input."""


class Mismatch(UsageError):
    """The two were not the same; try again."""


def ask_secret(prompt: str, *, what: str = "password") -> str:
    """One secret: typed unseen at a terminal, else the next line of standard input."""
    if sys.stdin.isatty():
        import getpass

        secret = getpass.getpass(prompt)
    else:
        secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise NothingGiven(what=what)
    return secret


def ask_new_secret(prompt: str, *, what: str = "password") -> str:
    """A secret to keep: asked twice at a terminal, one line of standard input otherwise."""
    first = ask_secret(prompt, what=what)
    if sys.stdin.isatty() and ask_secret("The same again: ", what=what) != first:
        raise Mismatch
    return first
