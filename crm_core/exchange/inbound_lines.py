"""Inbound messages from a file: one JSON object a line, each line standing for itself.

{"channel": "sms", "from": "+12125550123", "text": "Hello", "id": "SM1", "at": "2026-11-23T15:00:00Z"}

`attachments` are their number, or `[{"name": "a.jpg", "type": "image/jpeg", "data": "<base64>"}]`;
one without `data` may say its `size`. A letter may give `message_id`, `in_reply_to`, `references`
(a list) and `automatic`.
A portal or web form adds "subject", and "category": what the sender chose, in the form's words.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from crm_core.channels.model import Attached, Inbound
from crm_core.errors import UsageError
from crm_core.words import Channel

LONGEST_LINE = 40_000_000
"""Bytes of one line: the files that one message may bring, in base64. A longer one is read past in
pieces and never held."""
LONGEST_TEXT = 100_000


class FileUnreadable(UsageError):
    """The file {path} cannot be read ({reason}); give a file that you may read."""


@dataclass(frozen=True, kw_only=True)
class BadLine:
    """A line that is no message; `problem` never holds what stands in it."""

    number: int
    problem: str

    def __str__(self) -> str:
        return f"Line {self.number} was left out: {self.problem}."


def _from_base64(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return b64decode("".join(value.split()), validate=True)
    except ValueError:
        raise ValueError("is not base64") from None


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is before the first day or after the last that can be kept") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its zone, as aware UTC."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(default="", max_length=1_000)
    type: str = Field(default="", max_length=300)
    size: int | None = Field(default=None, ge=0, le=2**40)
    data: Annotated[bytes | None, BeforeValidator(_from_base64)] = None

    def attached(self) -> Attached:
        return Attached(name=self.name, media_type=self.type, size=self.size, content=self.data)


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, populate_by_name=True)

    channel: Channel
    # A text without a sender may still speak of a danger: it is taken, as from an unknown one.
    sender: str = Field(default="", alias="from", max_length=320)
    text: str = Field(max_length=LONGEST_TEXT)
    id: str | None = Field(default=None, max_length=200)
    at: Moment | None = None
    subject: str | None = Field(default=None, max_length=2_000)
    attachments: Annotated[int, Field(ge=0, le=1_000)] | Annotated[list[_File], Field(max_length=1_000)] = 0
    message_id: str | None = Field(default=None, max_length=1_000)
    in_reply_to: str | None = Field(default=None, max_length=10_000)
    references: list[str] = Field(default_factory=list, max_length=1_000)
    automatic: bool = False
    category: str | None = Field(default=None, max_length=200)


def read_inbound(path: Path, now: datetime) -> Iterator[Inbound | BadLine]:
    """The messages of a file in its order, in constant memory; `now` stands where no time is given.

    Blank lines are passed over. FileUnreadable for a folder, a missing file or a failing disk.
    """
    try:
        with path.open("rb") as file:
            yield from _lines(file, now)
    except OSError as error:
        raise FileUnreadable(path=path, reason=error.strerror or type(error).__name__) from None


def _lines(file: BinaryIO, now: datetime) -> Iterator[Inbound | BadLine]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST_LINE)
            yield BadLine(number=number, problem=f"it is longer than {LONGEST_LINE:,} bytes")
        elif line.strip():
            yield _message(number, line, now)


def read_one(values: Mapping[str, Any], now: datetime) -> Inbound | BadLine:
    """One message that came by itself, as what JSON said; the same fields as a line's."""
    try:
        return _inbound(_Line.model_validate(values), now)
    except ValidationError as error:
        return BadLine(number=1, problem=_problems(error))


def _message(number: int, line: bytes, now: datetime) -> Inbound | BadLine:
    try:
        return _inbound(_Line.model_validate_json(line.removeprefix(b"\xef\xbb\xbf")), now)
    except ValidationError as error:
        return BadLine(number=number, problem=_problems(error))


def _problems(error: ValidationError) -> str:
    return ", ".join(_problem(str(".".join(map(str, e["loc"]))), e["type"], e["msg"]) for e in error.errors())


def _inbound(read: _Line, now: datetime) -> Inbound:
    return Inbound(
        channel=read.channel,
        sender=read.sender,
        text=read.text,
        at=read.at or now.astimezone(UTC),
        provider_id=read.id,
        subject=read.subject,
        attachments=_attached(read.attachments),
        message_id=read.message_id,
        in_reply_to=read.in_reply_to,
        references=tuple(read.references),
        automatic=read.automatic,
        category_hint=read.category,
    )


def _attached(given: int | list[_File]) -> tuple[Attached, ...]:
    """The files, or so many of which nothing else is known."""
    return (Attached(),) * given if isinstance(given, int) else tuple(one.attached() for one in given)


def _problem(where: str, kind: str, said: str) -> str:
    if kind == "json_invalid":
        return "it is not JSON"
    if not where:
        return "it is not a JSON object"
    return f"{where}: {said[:1].lower()}{said[1:]}"
