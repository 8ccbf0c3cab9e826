"""`crm listen`: takes in what providers, portals, forms and telephone systems bring, until it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from crm_tui.listening.server import Listener

app = group("Take in what others bring.")


@command(app, "listen", example="crm listen")
def listen(
    ctx: typer.Context,
    new_key: Annotated[
        Path | None,
        typer.Option(
            "--new-key",
            metavar="FILE",
            help="Write a new shared secret into a file of the home that only you may read, and stop.",
        ),
    ] = None,
) -> None:
    """Listen for webhooks, web forms, chats and ringing numbers; docs/listen.md tells how each of them signs."""
    session = Session.of(ctx)
    if new_key is not None:
        _make_secret(session, new_key)
        return
    from crm_core.access.model import Permission
    from crm_core.errors import UsageError

    of_kind = _listener()
    if not session.settings.listen.has_endpoints:
        raise UsageError(
            problem="crm.toml names nobody who may bring anything",
            remedy="add a table such as [listen.twilio] or [listen.hook.portal]; see docs/listen.md",
        )
    session.machine(Permission.MESSAGE_RECEIVE)
    listener = of_kind(session.crm, session.say)
    listener.run(started=lambda at: session.say(f"Listening on {at}; Ctrl-C stops after what is in hand."))


def _listener() -> type[Listener]:
    """The receiver, whose libraries are an extra."""
    from crm_core.errors import Unavailable

    try:
        from crm_tui.listening.server import Listener
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn", "anyio", "h11"):
            raise
        raise Unavailable(
            what="The receiver", remedy="install its libraries: pip install 'clinic-crm[listen]'"
        ) from None
    return Listener


def _make_secret(session: Session, file: Path) -> None:
    from crm_core.errors import UsageError
    from crm_core.settings import write_private
    from crm_tui.listening.signing import new_secret

    path = session.settings.home / file.expanduser()
    if path.exists():
        raise UsageError(problem=f"{path} is there already", remedy="name another file, or remove that one first")
    try:
        write_private(path, new_secret() + "\n")
    except OSError as error:
        raise UsageError(
            problem=f"{path} cannot be written: {error.strerror}", remedy="name a file in a folder that is there"
        ) from None
    session.show(
        {"file": str(path)},
        people=f"Written to {path}. Name it as secret_file in crm.toml, and give what stands in it to the sender.",
    )
