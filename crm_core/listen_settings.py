"""`[listen]` of crm.toml: where the receiver listens, and who may bring what."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, StringConstraints, field_validator, model_validator

from crm_core.twilio_settings import Table

PORT = 8021
_ORIGIN = re.compile(r"https?://[a-z0-9.:\[\]-]+")


class TwilioListenTable(Table):
    """`[listen.twilio]`: the account whose webhooks are taken, and its auth token, which signs them."""

    account: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$")
    token_file: Path


class HookTable(Table):
    """`[listen.hook.NAME]`: a portal or a chat that signs what it brings."""

    channel: Literal["portal", "webform", "chat", "social"]
    secret_file: Path


class FormTable(Table):
    """`[listen.form.NAME]`: a form of the clinic's own site, brought by its server or by visitors' browsers.

    `origins` are the sites whose pages may post it from a browser. `per_minute` is how many a
    minute one address may send. `leave_empty` is a field that people do not see and robots fill.
    `thanks_url` is where a browser goes afterwards that posts the form without a script.
    """

    secret_file: Path | None = None
    origins: tuple[str, ...] = ()
    per_minute: int = Field(default=5, ge=1, le=600)
    leave_empty: str = Field(default="leave_empty", pattern=r"^[a-z_]{1,40}$")
    thanks_url: str | None = Field(default=None, pattern=r"^https?://[!-~]+$")

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_ORIGIN.fullmatch(one) for one in given):
            raise ValueError("an origin is a scheme and a host, like https://www.example.org")
        return given

    @model_validator(mode="after")
    def _somebody_may(self) -> Self:
        if self.secret_file is None and not self.origins:
            raise ValueError("nobody may post it; name its secret_file, or origins, or both")
        return self


class PhoneTable(Table):
    """`[listen.phone.NAME]`: a telephone system that says who rings."""

    secret_file: Path


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,29}$")]


class ListenTable(Table):
    """`[listen]`. Beyond this host it listens only with a certificate, or behind a proxy that has one.

    `public_url` is the address by which providers call it, over which Twilio signs. `largest_body`
    is in bytes, `at_once` how many requests are handled at a time.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=PORT, ge=0, le=65535)
    public_url: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False
    largest_body: int = Field(default=1_000_000, ge=10_000, le=40_000_000)
    at_once: int = Field(default=64, ge=4, le=1_000)
    twilio: TwilioListenTable | None = None
    hook: dict[Name, HookTable] = {}
    form: dict[Name, FormTable] = {}
    phone: dict[Name, PhoneTable] = {}

    @field_validator("public_url")
    @classmethod
    def _is_a_url(cls, given: str | None) -> str | None:
        parts = urlsplit(given or "https://none")
        # A port that is none raises a ValueError of its own.
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.port == 0
            or parts.query
            or parts.fragment
        ):
            raise ValueError("public_url is an address like https://crm.example.org")
        return given.rstrip("/") if given else given

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if not (self.certificate or self.behind_proxy or _is_this_host(self.host)):
            raise ValueError("beyond this host it listens only with certificate and key, or with behind_proxy = true")
        if self.twilio is not None and self.public_url is None:
            raise ValueError("twilio needs public_url, over which its webhooks are signed")
        return self

    @property
    def has_endpoints(self) -> bool:
        """Whether anything may be brought at all."""
        return bool(self.twilio or self.hook or self.form or self.phone)


_Any = TypeVar("_Any", bound=BaseModel)


def absolute(home: Path, table: _Any) -> _Any:
    """The same with every path made absolute, in the tables within, too."""
    changed: dict[str, object] = {}
    for name, value in table:
        if isinstance(value, Path):
            changed[name] = home / value.expanduser()
        elif isinstance(value, BaseModel):
            changed[name] = absolute(home, value)
        elif isinstance(value, dict):
            changed[name] = {key: absolute(home, each) for key, each in value.items()}
    return table.model_copy(update=changed)


def _is_this_host(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
