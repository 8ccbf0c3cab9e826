"""The page docs/keys.md, made from the registry; `python -m crm_tui.cheat_sheet` writes it."""

from __future__ import annotations

from pathlib import Path

from crm_tui.commands import Command, Group, in_group

PAGE = Path(__file__).parent.parent / "docs" / "keys.md"

_HEAD = """# Keys

Made from `crm_tui/commands/` by `python -m crm_tui.cheat_sheet`; change it there.

Everything works from the keyboard; every command is also in the palette (`:`). To give a
command another key, name its id in the `[keys]` section of `crm.toml`: `take_next = "f5"`.
"""

_WHAT = {
    Group.MOVE: "Move",
    Group.FIND: "Find",
    Group.ACT: "Act on the marked rows, else on the row under the cursor",
    Group.ALARM: "Alarm",
    Group.ASK: "Ask",
    Group.LIBRARY: "In the library of answers, mode 6",
    Group.APP: "The console itself",
}


def _line(command: Command) -> str:
    keys = " ".join(f"`{key}`" for key in command.keys) or "palette"
    after = " Asks first." if command.dangerous and not command.undoable else ""
    after = " Undo with `z`." if command.undoable else after
    return f"| {keys} | {command.title} | {command.help}{after} | {command.id} |"


def cheat_sheet() -> str:
    """The whole page as Markdown, a table for each group."""
    parts = [_HEAD]
    for group in Group:
        rows = "\n".join(_line(command) for command in in_group(group))
        parts.append(f"## {_WHAT[group]}\n\n| key | what | | id |\n|---|---|---|---|\n{rows}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(cheat_sheet(), encoding="utf-8")
