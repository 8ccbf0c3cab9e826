"""Who rings: a telephone system tells of each call, and of its end.

{"call": "the system's id", "from": "+12125550101", "line": "front desk", "state": "ringing"}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from crm_core.channels.ringing.model import Ringing, RingState
from crm_core.exchange.inbound_lines import Moment
from crm_tui.listening.hooks import json_object, signed_by, taken
from crm_tui.listening.reading import JSON, body_of
from crm_tui.listening.refusing import unusable
from crm_tui.listening.signing import SharedSecret
from crm_tui.listening.taking import Taker

LARGEST = 8_000


class _Call(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    call: Annotated[str, Field(min_length=1, max_length=120)]
    number: Annotated[str, Field(default="", alias="from", max_length=60)]
    line: Annotated[str, Field(default="", max_length=40)]
    state: RingState = RingState.RINGING
    at: Moment | None = None


@dataclass(frozen=True, kw_only=True)
class Phone:
    """One telephone system's endpoint."""

    taker: Taker
    name: str
    secret: SharedSecret

    async def call(self, request: Request) -> Response:
        """One call, or where it is by now."""
        body = await body_of(request, most=LARGEST, types=(JSON,))
        signed_by(self.secret, request, body, self.taker)
        try:
            call = _Call.model_validate(json_object(body))
        except ValidationError as error:
            raise unusable(problems_of(error)) from None
        ringing = Ringing(
            call_id=f"{self.name}:{call.call}",
            number=call.number,
            line=call.line,
            state=call.state,
            # By our clock: theirs may be minutes off, and a ring is shown for three.
            at=call.at or self.taker.now(),
        )
        return taken(await self.taker.take(f"phone.{self.name}", ringing))


def problems_of(error: ValidationError) -> str:
    """What is wrong with which field, without what stands in it."""
    return ", ".join(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg'].lower()}" for each in error.errors())
