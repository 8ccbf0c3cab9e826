"""The playbooks that come with the program."""

from __future__ import annotations

import importlib.resources
from importlib.resources.abc import Traversable

from crm_core.errors import CrmError


class NoSuchPlaybook(CrmError):
    """No playbook {name} comes with the program; choose one of {known}, or name a folder."""

    exit_code = 2


def names() -> tuple[str, ...]:
    """The playbooks that ship, in alphabetical order."""
    folder = importlib.resources.files("data") / "playbooks"
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and entry.name[0] not in "._"))


def shipped(name: str) -> Traversable:
    """The folder of the shipped playbook `name`; NoSuchPlaybook where there is none."""
    if name not in names():
        raise NoSuchPlaybook(name=name, known=", ".join(names()))
    return importlib.resources.files("data") / "playbooks" / name
