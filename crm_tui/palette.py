"""The palette: every command of the registry that the screen or the app takes, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

from crm_tui.command_host import CommandHost
from crm_tui.commands import COMMANDS, Command


class Commands(Provider):
    """Offers the commands of the screen in view, then the app's; nothing else is offered.

    Textual's own system commands (Screenshot above all) are not: an app lists this provider
    alone in `COMMANDS`.
    """

    async def discover(self) -> Hits:
        """All of them, in the registry's order."""
        for one, run in self._takers():
            yield DiscoveryHit(self._name(one), run, text=one.title, help=one.help)

    async def search(self, query: str) -> Hits:
        """Those whose title or keys match `query`."""
        matcher = self.matcher(query)
        for one, run in self._takers():
            name = self._name(one)
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, text=one.title, help=one.help)

    def _takers(self) -> Iterator[tuple[Command, Callable[[], Any]]]:
        hosts = [host for host in (self.screen, self.app) if isinstance(host, CommandHost)]
        for one in COMMANDS:
            for host in hosts:
                if not one.action and one.id != "palette" and host.takes(one):
                    yield one, partial(host.action_command, one.id)
                    break

    @staticmethod
    def _name(command: Command) -> str:
        return f"{command.title}  {command.shown_keys}" if command.keys else command.title
