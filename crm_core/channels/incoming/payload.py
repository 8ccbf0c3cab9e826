"""What was brought, as the JSON that is sealed until it is handled. ASCII, so that lone surrogates survive it."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, NamedTuple

from crm_core.channels.incoming.model import Brought
from crm_core.channels.model import Attached, Inbound, Report
from crm_core.channels.reports import Reported
from crm_core.channels.ringing.model import Ringing, RingState
from crm_core.words import Channel

Payload = Inbound | Reported | Ringing


class _Form(NamedTuple):
    """How one kind of thing is written down; `occasion` is its provider's id, None where it has none."""

    kind: Brought
    occasion: Callable[[Any], str | None]
    read: Callable[[dict[str, Any]], Any]


def kind_of(brought: Payload) -> Brought:
    """What kind of thing that is."""
    return _FORMS[type(brought)].kind


def occasion_of(brought: Payload) -> str | None:
    """What its provider calls it: the same again is the same thing."""
    return _FORMS[type(brought)].occasion(brought)


def written(brought: Payload) -> str:
    """The JSON of it."""
    return json.dumps(asdict(brought), default=_plain, sort_keys=True)


def content(brought: Payload) -> bytes:
    """Its JSON without when it came, by which the same thing delivered later is known again."""
    return json.dumps(asdict(brought) | {"at": None}, default=_plain, sort_keys=True).encode("ascii")


def read(kind: Brought, text: str) -> Payload:
    """What was written. ValueError, KeyError or TypeError where that is no such JSON."""
    form = next(one for one in _FORMS.values() if one.kind is kind)
    found: Payload = form.read(json.loads(text))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    assert isinstance(value, bytes)
    return b64encode(value).decode("ascii")


def _message(values: dict[str, Any]) -> Inbound:
    files = tuple(
        Attached(**{**one, "content": None if one["content"] is None else b64decode(one["content"], validate=True)})
        for one in values["attachments"]
    )
    known = {each.name for each in fields(Inbound)}
    return Inbound(
        **{name: value for name, value in values.items() if name in known}
        | {
            "channel": Channel(values["channel"]),
            "at": datetime.fromisoformat(values["at"]),
            "attachments": files,
            "references": tuple(values["references"]),
        }
    )


def _report(values: dict[str, Any]) -> Reported:
    return Reported(**values | {"fate": Report(values["fate"]), "at": datetime.fromisoformat(values["at"])})


def _ring(values: dict[str, Any]) -> Ringing:
    return Ringing(**values | {"state": RingState(values["state"]), "at": datetime.fromisoformat(values["at"])})


def _message_id(message: Inbound) -> str | None:
    return f"{message.channel}:{message.provider_id}" if message.provider_id else None


_FORMS: dict[type, _Form] = {
    Inbound: _Form(Brought.MESSAGE, _message_id, _message),
    Reported: _Form(Brought.REPORT, lambda told: f"{told.provider_id or ''}:{told.attempt or ''}:{told.fate}", _report),
    Ringing: _Form(Brought.RING, lambda ring: f"{ring.call_id}:{ring.state}", _ring),
}
