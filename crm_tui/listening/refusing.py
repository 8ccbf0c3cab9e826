"""What a request is refused with: a status and a sentence, never a value of the request."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse


class Refusal(Exception):
    """A request that is answered with `status` and `said`, and taken no further."""

    def __init__(self, status: HTTPStatus, said: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(said)
        self.status = status
        self.said = said
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """The answer. What is refused half-read ends its connection, too."""
        return JSONResponse({"error": self.said}, self.status, headers={**self.headers, "Connection": "close"})


def forbidden() -> Refusal:
    """The one answer to a signature that does not fit, whatever is wrong with it: none of it helps to guess."""
    return Refusal(HTTPStatus.FORBIDDEN, "not signed as agreed, too old, or not from here")


def unusable(said: str) -> Refusal:
    """A request that was let in and cannot be understood."""
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, said)
