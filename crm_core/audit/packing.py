"""Ids of an audit row as short text, in order and without loss."""

from __future__ import annotations

from collections.abc import Sequence

_FEW = 16


def pack(ids: Sequence[int]) -> str:
    """`[12,7]` for a few ids; for more, `d` and the steps between them: `d1000,1x199,-7`."""
    if len(ids) <= _FEW:
        return f"[{','.join(map(str, ids))}]"
    runs: list[list[int]] = []
    before = 0
    for row_id in ids:
        step = row_id - before
        before = row_id
        if runs and runs[-1][0] == step:
            runs[-1][1] += 1
        else:
            runs.append([step, 1])
    return "d" + ",".join(f"{step}x{times}" if times > 1 else str(step) for step, times in runs)


def unpack(text: str) -> tuple[int, ...]:
    """The ids that `pack` was given; ValueError for other text."""
    if text.startswith("[") and text.endswith("]"):
        return tuple(int(part) for part in text[1:-1].split(",") if part)
    if not text.startswith("d"):
        raise ValueError("these are not packed ids")
    ids: list[int] = []
    last = 0
    for run in text[1:].split(","):
        step, _, times = run.partition("x")
        for _ in range(int(times or 1)):
            last += int(step)
            ids.append(last)
    return tuple(ids)
