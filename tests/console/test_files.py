"""What came with a message, at the console: quoted text folded, attachments listed and saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_core.access.model import Role
from crm_core.channels.model import Attached
from crm_core.words import Channel
from tests.console.conftest import Account, Clinic
from tests.console.hands import console
from tests.inbox.looking import tags

LETTER = """Could you refill my metformin please

On Mon, Nov 23, 2026 at 9:14 AM Clinic <c@clinic.example> wrote:
> Please write to us when you are down to ten pills.
"""


@pytest.mark.usefixtures("both_stores")
async def test_a_file_is_listed_and_saved_as_a_new_file(clinic: Clinic, account: Account, tmp_path: Path) -> None:
    account("kim", Role.AGENT)
    photo = Attached(name="../bottle [b].jpg", media_type="image/jpeg", content=b"\xff\xd8" * 120_000)
    clinic.text("Could you refill this please", attachments=(photo, Attached(name="big.mov", size=90_000_000)))
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n")
        hands.expect("[attachment 1: bottle [b].jpg, image/jpeg, 240 KB]")
        hands.expect("too large, ask")
        await hands.press("f")
        hands.expect("Save which attachment?")
        await hands.press("enter")
        to = tmp_path / "saved.jpg"
        await hands.type(str(to))
        await hands.press("enter")
        hands.expect("Saved as")
        assert to.read_bytes() == photo.content
        assert to.stat().st_mode & 0o777 == 0o600
        assert "attachment:bytes:saved" in tags(clinic.crm)

        await hands.press("f", "enter")
        await hands.type(str(to))
        await hands.press("enter")
        assert "exists already" in hands.toasts + hands.screen
        await hands.press("f")
        await hands.type("big")
        await hands.press("enter")
        hands.expect("not kept: ask for it another way")


async def test_quoted_text_is_folded_until_it_is_asked_for(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text(LETTER, "mia@example.org", channel=Channel.EMAIL, subject="Re: [b]pills")
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n")
        hands.expect("Re: [b]pills")
        hands.expect("… 2 quoted lines (u opens)")
        assert not hands.sees("ten pills")
        await hands.press("u")
        hands.expect("> Please write to us when you are down to ten pills.")
        await hands.press("u")
        assert not hands.sees("ten pills")


async def test_keys_with_nothing_to_show_say_so(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text("Could you refill my metformin please")
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "u")
        hands.expect("Nothing in this thread is folded away")
        await hands.press("f")
        hands.expect("Nothing is attached here that could be saved")
