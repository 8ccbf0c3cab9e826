"""The mixin by which an app or a screen runs commands of the registry."""

from __future__ import annotations

import inspect
from typing import cast

from textual.dom import DOMNode

from crm_tui.commands import Command, Group, command
from crm_tui.widgets.footer import flash

_ALWAYS = (Group.ALARM, Group.APP)


class CommandHost:
    """Runs a command as the method `do_<id>`, unless `why_not` gives a reason against it.

    One way in for keys, palette, footer and mouse. A screen says which commands it takes by
    `BINDINGS = bindings(...)`; a command that cannot run now is not hidden but says why.
    """

    def why_not(self, command: Command) -> str | None:  # noqa: ARG002 - for hosts to override
        """Why this command cannot run now, as one sentence, or None when it can."""
        return None

    def drops_keys(self) -> bool:
        """Whether commands are dropped because another patient has only just been painted.

        Alarm and console commands are never dropped. See `IdentityGuard`.
        """
        return False

    def refuse(self, command: Command, why: str) -> None:
        """Tell the user why nothing happened."""
        flash(cast("DOMNode", self), f"{command.title}: {why}", "warning")

    def takes(self, command: Command) -> bool:
        """Whether this host has a method for the command."""
        return callable(getattr(self, f"do_{command.id}", None))

    async def action_command(self, command_id: str) -> None:
        """Run a command by its id; KeyError for one that the registry does not know."""
        wanted = command(command_id)
        if wanted.group not in _ALWAYS and self.drops_keys():
            return
        why = self.why_not(wanted)
        if why is not None:
            self.refuse(wanted, why)
            return
        result = getattr(self, f"do_{wanted.id}")()
        if inspect.isawaitable(result):
            await result
