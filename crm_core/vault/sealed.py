"""What a sealed column holds, and what comes out when it is opened."""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.vault.fields import Field


@dataclass(frozen=True, slots=True)
class Sealed:
    """One ciphertext with what it is bound to; `unit.open` is the only way in.

    `blob` is None where the column is NULL.
    """

    field: Field
    row_id: int
    blob: bytes | None

    def __composite_values__(self) -> tuple[int, bytes | None]:
        return self.row_id, self.blob

    def __bool__(self) -> bool:
        return self.blob is not None

    def __repr__(self) -> str:
        return f"<sealed {self.field.name}>"


class Shown(str):
    """An opened value: a str to show, whose repr tells nothing to a log or a traceback."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "•••"
