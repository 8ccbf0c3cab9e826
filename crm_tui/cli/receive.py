"""`crm receive`: inbound messages from a command line or a file, by the same path as a gateway's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.errors import UsageError
from crm_core.words import Channel
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, show_id

if TYPE_CHECKING:
    from datetime import datetime

    from crm_core.channels.model import Attached, Inbound, Received

app = group("Take in messages.")


SAID = 20
"""Bad lines that are told one by one; of the rest their number."""


@command(app, "receive", example="crm receive --file messages.ndjson --json")
def receive(
    ctx: typer.Context,
    *,
    channel: Annotated[Channel | None, typer.Option("--channel", help="How it came.")] = None,
    sender: Annotated[
        str | None, typer.Option("--from", metavar="ADDR", help="Number or address it came from.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="What it says; - reads it from standard input, unseen by `ps`.")
    ] = None,
    provider_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="The provider's id: the same one again is no second message."),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option("--category", metavar="CHOICE", help="What the sender chose in the portal or form, in its words."),
    ] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="When it was sent; now without it.")] = None,
    attach: Annotated[
        list[Path] | None,
        typer.Option("--attach", metavar="FILE", help="A file that came with it; may be given several times."),
    ] = None,
    eml: Annotated[
        Path | None,
        typer.Option("--eml", metavar="FILE", help="One e-mail as it travels (RFC 5322), with its headers."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            metavar="F.ndjson",
            help="Many: a JSON object a line with channel, from, text, id, at, subject, category.",
        ),
    ] = None,
) -> None:
    """Take in messages, as a gateway would; a line that cannot be used is named and stops no other."""
    session = Session.of(ctx)
    if file is not None or eml is not None:
        if channel or sender or text or provider_id or at or category or attach or (file and eml):
            named = "--file" if file is not None else "--eml"
            raise UsageError(problem=f"{named} brings its own messages", remedy="leave the other options out")
        if file is not None:
            _receive_file(session, file)
        elif eml is not None:
            session.show([_document(_take(session, _letter(eml, session.clock.now())))])
        return
    if channel is None or sender is None or text is None:
        raise UsageError(problem="A message needs --channel, --from and --text", remedy="or give --file")
    from crm_core.channels.model import Inbound
    from crm_tui.cli.times import moment

    now = session.clock.now()
    body = sys.stdin.read() if text == "-" else text
    inbound = Inbound(
        channel=channel,
        sender=sender,
        text=body,
        at=moment(at, now) if at else now,
        provider_id=provider_id,
        category_hint=category,
        attachments=tuple(_attached(path) for path in attach or ()),
    )
    session.show([_document(_take(session, inbound))])


def _letter(path: Path, now: datetime) -> Inbound:
    from crm_core.channels.mail_reading import LARGEST_LETTER, read_letter

    return read_letter(_bytes(path, LARGEST_LETTER), now)


def _attached(path: Path) -> Attached:
    """The file with the type that its name tells."""
    import mimetypes

    from crm_core.channels.attachments import LARGEST_TOGETHER
    from crm_core.channels.model import Attached

    content = _bytes(path, LARGEST_TOGETHER)
    return Attached(
        name=path.name, media_type=mimetypes.guess_type(path.name)[0] or "", size=len(content), content=content
    )


def _bytes(path: Path, most: int) -> bytes:
    from crm_core.exchange.inbound_lines import FileUnreadable

    if path.exists() and not path.is_file():
        raise FileUnreadable(path=path, reason="it is no file")
    try:
        with path.open("rb") as opened:
            content = opened.read(most + 1)
    except OSError as error:
        raise FileUnreadable(path=path, reason=error.strerror or type(error).__name__) from None
    if len(content) > most:
        raise UsageError(problem=f"{path} is larger than {most:,} bytes", remedy="leave it out")
    return content


def _receive_file(session: Session, file: Path) -> None:
    from crm_core.exchange.inbound_lines import BadLine, read_inbound
    from crm_tui.cli.output import progress

    documents: list[dict[str, Any]] = []
    rejected = 0
    with progress("Receiving") as shown:
        for number, line in enumerate(read_inbound(file, session.clock.now()), start=1):
            if isinstance(line, BadLine):
                rejected += 1
                if rejected <= SAID:
                    session.say(str(line))
            else:
                documents.append(_document(_take(session, line)))
            shown(number)
    session.show(documents, people=_summary(documents, rejected))
    if rejected > SAID:
        session.say(f"{rejected - SAID} more lines were left out.")
    if rejected:
        raise typer.Exit(1)


def _take(session: Session, inbound: Inbound) -> Received:
    from crm_core.access.model import Permission
    from crm_core.channels import inbound as pipeline

    with session.crm.write(session.machine(Permission.MESSAGE_RECEIVE)) as unit:
        return pipeline.receive(unit, session.crm.receiver, inbound)


def _document(received: Received) -> dict[str, Any]:
    return {
        "message": received.message_id,
        "conversation": show_id(Kind.CONVERSATION, received.conversation_id),
        "patient": show_id(Kind.PATIENT, received.patient_id),
        "lane": received.lane,
        "category": received.category,
        "priority": received.priority,
        "handled_by": received.handled_by,
        "duplicate": received.duplicate,
        "why": list(received.why),
    }


def _summary(documents: list[dict[str, Any]], rejected: int) -> dict[str, Any]:
    lanes: dict[str, int] = {}
    for document in documents:
        lanes[document["lane"] or "no lane"] = lanes.get(document["lane"] or "no lane", 0) + 1
    return {
        "received": len(documents),
        "duplicates": sum(document["duplicate"] for document in documents),
        "rejected": rejected,
        "by lane": dict(sorted(lanes.items(), key=lambda item: -item[1])),
    }
