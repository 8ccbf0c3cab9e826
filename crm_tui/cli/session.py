"""What one run of `crm` works with: its home, who is acting, the opened store.

Nothing here is imported or opened before a command asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from crm_core.access.model import Actor, Permission
    from crm_core.app import Crm
    from crm_core.clock import Clock
    from crm_core.settings import Settings
    from crm_core.work.units import ReadUnit, WriteUnit


class Session:
    """One run's options, and what follows from them when it is first asked for."""

    def __init__(self) -> None:
        self.home_given: Path | None = None
        self.as_name: str | None = None
        self.json = False
        self.signing = False
        """Whether this run makes checkpoints: set before the store is opened."""
        self._machine: Actor | None = None

    @classmethod
    def of(cls, ctx: typer.Context) -> Session:
        """The run's session, made at the first call and closed when the run ends."""
        root = ctx.find_root()
        if not isinstance(root.obj, Session):
            root.obj = cls()
            root.call_on_close(root.obj.close)
        session: Session = root.obj
        return session

    @cached_property
    def home(self) -> Path:
        """The home's folder; it may not exist yet."""
        from crm_core.settings import find_home

        return find_home(self.home_given)

    @cached_property
    def settings(self) -> Settings:
        """The home's settings; from here on incidents are logged in it."""
        from crm_core.settings import read_settings
        from crm_tui.log import log_to

        settings = read_settings(self.home)
        log_to(settings.log_file)
        return settings

    @cached_property
    def crm(self) -> Crm:
        """The opened store."""
        from crm_core.app import open_crm

        return open_crm(self.settings, signing=self.signing)

    @property
    def clock(self) -> Clock:
        """The clock of the opened store."""
        return self.crm.clock

    @cached_property
    def actor(self) -> Actor:
        """Who is acting: the account of --as, or of the operating-system user."""
        from crm_tui.cli.identity import act

        return act(self.crm, self.as_name)

    def machine(self, permission: Permission) -> Actor:
        """Who acts for `poll` and `receive`: the system, unless a person calls who may not.

        A service account has no staff account and needs none: it holds the key.
        """
        from crm_tui.cli.identity import act_for_machine

        if self._machine is None:
            self._machine = act_for_machine(self.crm, self.as_name, permission)
        return self._machine

    def permit(self, permission: Permission) -> None:
        """Refuse the acting person a command that no service function stands behind."""
        from crm_core.errors import NotPermitted

        if not self.actor.may(permission):
            raise NotPermitted(action=permission.phrase, permission=permission.value)

    @contextmanager
    def reading(self) -> Iterator[ReadUnit]:
        """A read unit of the acting person."""
        with self.crm.read(self.actor) as unit:
            yield unit

    @contextmanager
    def writing(self) -> Iterator[WriteUnit]:
        """A write unit of the acting person."""
        with self.crm.write(self.actor) as unit:
            yield unit

    def show(self, document: Any, *, people: Any = None, empty: str = "Nothing to show.") -> None:
        """Print the command's document; `people` is shown instead of it to a person, where given."""
        from crm_tui.cli import output

        if self.json:
            output.print_json(document)
        else:
            output.print_people(document if people is None else people, empty)

    def say(self, sentence: str) -> None:
        """Tell a person something that is no part of the document, on stderr."""
        import sys

        from crm_tui.cli.output import clean

        sys.stderr.write(clean(sentence) + "\n")

    def close(self) -> None:
        """Close the store, if it was opened."""
        opened = self.__dict__.pop("crm", None)
        if opened is not None:
            opened.close()


def os_user() -> str:
    """Whose call this is: behind sudo the account that called it, else this process's own."""
    import pwd

    uid = os.environ.get("SUDO_UID", "")
    number = int(uid) if uid.isdecimal() else os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"


def is_served() -> bool:
    """Whether this runs for somebody else, as `sudo -u crm crm`: then a password comes on top."""
    uid = os.environ.get("SUDO_UID", "")
    return uid.isdecimal() and int(uid) != os.geteuid()
