"""`[gateway.sms]` and `[gateway.whatsapp]` with kind = "twilio", as crm.toml holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

_THIS_HOST = frozenset({"127.0.0.1", "localhost", "::1"})


class Table(BaseModel):
    """A table of crm.toml: a key that nobody reads is a mistake, and what was typed is in no message."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)


class TwilioTable(Table):
    """`[gateway.sms]` or `[gateway.whatsapp]` with kind = "twilio": texts by Twilio's REST API.

    `token_file` holds the account's auth token or, where `api_key` names one, that key's secret.
    Texts go out `from` one number, or by a messaging service, which picks one of its own. `every`
    are the seconds between two looks at what came in; `per_second` counts segments.
    """

    kind: Literal["twilio"]
    account: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$")
    api_key: str | None = Field(default=None, pattern=r"^SK[0-9a-fA-F]{32}$")
    token_file: Path
    sender: str | None = Field(default=None, alias="from", pattern=r"^(\+[1-9]\d{6,14}|\d{3,8}|[A-Za-z0-9 ]{1,11})$")
    messaging_service: str | None = Field(default=None, pattern=r"^MG[0-9a-fA-F]{32}$")
    base_url: str = "https://api.twilio.com"
    ca_file: Path | None = None
    every: int = Field(default=15, ge=5, le=3600)
    per_second: float | None = Field(default=None, gt=0, le=1000)
    vendor: str = Field(min_length=1, description="the vendor whose BAA covers this gateway, as `crm vendor` names it")

    @model_validator(mode="after")
    def _from_one_place(self) -> Self:
        if (self.sender is None) == (self.messaging_service is None):
            raise ValueError("name either from or messaging_service")
        return self

    @model_validator(mode="after")
    def _over_tls(self) -> Self:
        parts = urlsplit(self.base_url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_HOST)
        # A port that is none raises a ValueError of its own.
        if not safe or not parts.hostname or parts.port == 0 or parts.query or parts.fragment or parts.username:
            raise ValueError("base_url is an https address without a user, or http on this host for trying out")
        return self
