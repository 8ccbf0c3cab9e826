"""A mailbox is read over IMAP: what came is handed in, then marked; nothing is lost and nothing comes twice."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from email.policy import SMTP

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.app import open_crm
from crm_core.channels.mail import reader
from crm_core.channels.mail.chore import MailChore
from crm_core.channels.mail.handing_in import hand_in
from crm_core.channels.mail.imap import Imap
from crm_core.channels.mail.places import LEASE, mailbox_states
from crm_core.channels.mail.tables import MailboxRow
from crm_core.channels.tables import Attachment, Message
from crm_core.channels.vendors import end_vendor
from crm_core.clock import ShiftedClock
from crm_core.settings import MailboxTable, Settings
from tests.channels.mail.conftest import VENDOR, MailClinic, letter, never
from tests.conftest import MASTER, MONDAY

SEEN, FLAGGED = rb"\Seen", rb"\Flagged"


def state_of(here: MailClinic) -> str | None:
    """Why the mailbox cannot be read, as `crm doctor` would say."""
    with here.clinic.crm.read(SYSTEM) as unit:
        return mailbox_states(unit)["front_desk"].failure


def test_a_letter_becomes_a_message_and_is_marked_as_read(mail_clinic: MailClinic) -> None:
    mail_clinic.box.deliver(letter(text="Could you send my bill again?"))
    assert mail_clinic.read().done == 1
    assert mail_clinic.messages() == ["Could you send my bill again?\n"]
    assert mail_clinic.box.flags() == [{SEEN}]
    assert state_of(mail_clinic) is None


def test_what_was_read_is_not_fetched_again(mail_clinic: MailClinic) -> None:
    mail_clinic.box.deliver(letter("one"), letter("two"))
    assert [mail_clinic.read().claimed for _ in range(2)] == [2, 0]
    mail_clinic.box.deliver(letter("three"))
    assert mail_clinic.read().claimed == 1
    assert len(mail_clinic.messages()) == 3


def test_a_letter_that_somebody_else_reads_first_is_taken_in_all_the_same(mail_clinic: MailClinic) -> None:
    mail_clinic.read()
    mail_clinic.box.deliver(letter())
    mail_clinic.box.other.add_flags([1], [SEEN])
    assert mail_clinic.read().done == 1


def test_of_what_lay_there_before_us_only_the_unread_is_taken(mail_clinic: MailClinic) -> None:
    mail_clinic.clinic.at(datetime.now(UTC))  # the mail server dates what comes by the host's clock
    mail_clinic.box.deliver(letter("answered", "Answered long ago."), letter("waits", "Still waits."))
    mail_clinic.box.other.add_flags([1], [SEEN])
    assert mail_clinic.read().done == 1
    assert mail_clinic.messages() == ["Still waits.\n"]


def test_what_was_taken_in_is_moved_where_it_is_to_go(mail_clinic: MailClinic) -> None:
    mail_clinic.box.deliver(letter("one"), letter("two"))
    assert mail_clinic.read(done_folder="Taken in").done == 2
    assert mail_clinic.box.flags() == []
    assert mail_clinic.box.flags("Taken in") == [{SEEN}, {SEEN}]


def test_a_folder_that_is_numbered_anew_is_read_again_and_nothing_comes_twice(mail_clinic: MailClinic) -> None:
    box = mail_clinic.box
    box.other.create_folder("Desk")
    letters = [letter("one"), letter("two")]
    box.deliver(*letters, folder="Desk")
    assert mail_clinic.read(folder="Desk").done == 2
    box.other.delete_folder("Desk")
    box.other.create_folder("Desk")
    box.deliver(*letters, letter("three"), folder="Desk")
    other = box.other
    other.select_folder("Desk")
    other.add_flags([1, 3], [SEEN])
    assert mail_clinic.read(folder="Desk").claimed == 3
    assert len(mail_clinic.messages()) == 3


def test_another_folder_or_account_is_read_from_its_beginning(mail_clinic: MailClinic) -> None:
    mail_clinic.box.deliver(letter("one"))
    mail_clinic.read()
    mail_clinic.box.other.create_folder("Desk")
    mail_clinic.box.deliver(letter("two"), folder="Desk")
    assert mail_clinic.read(folder="Desk").done == 1


def test_letters_without_or_with_one_message_id_are_told_apart_by_what_they_say(mail_clinic: MailClinic) -> None:
    faulty = "<always-the-same@printer.example>"
    mail_clinic.box.deliver(
        letter(text="first", message_id=faulty),
        letter(text="second", message_id=faulty),
        letter(text="third", message_id=""),
        letter(text="fourth", message_id=""),
        letter(text="first", message_id=faulty, received="by another way"),
    )
    assert mail_clinic.read().claimed == 5
    assert mail_clinic.messages() == ["first\n", "second\n", "third\n", "fourth\n"]


def test_a_letter_too_large_is_taken_in_by_its_beginning_and_flagged(
    mail_clinic: MailClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_BYTES", 300_000)
    large = letter(text="My scans are attached.")
    large.add_attachment(b"x" * 400_000, maintype="image", subtype="png", filename="scan.png")
    mail_clinic.box.deliver(large)
    assert mail_clinic.read(done_folder="Taken in").done == 1
    (said,) = mail_clinic.messages()
    assert said.startswith("My scans are attached.")
    assert "too large to be taken in whole: the letter lies flagged in the mailbox front_desk" in said
    assert mail_clinic.box.flags() == [{SEEN, FLAGGED}]
    with mail_clinic.clinic.crm.read(SYSTEM) as unit:
        kept = unit.execute(select(Attachment.size, Attachment.content_token).order_by(Attachment.position)).all()
    assert [row.content_token for row in kept] == [None, None]
    assert kept[1].size > 400_000


def test_what_is_no_letter_is_taken_in_as_it_is(mail_clinic: MailClinic) -> None:
    mail_clinic.box.deliver(
        b"Subject: nobody wrote this\r\n\r\nCall me.\r\n",
        b"\xff\xfe\x01rubbish without headers",
        b"From: <>\r\nReply-To: vera@example.org\r\n\r\nCall Vera.\r\n",
    )
    assert mail_clinic.read().done == 3
    nobody, rubbish, vera = mail_clinic.messages()
    assert all("This letter names no sender" in said for said in (nobody, rubbish, vera))
    assert ("Call me." in nobody, "rubbish without headers" in rubbish, "Call Vera." in vera) == (True, True, True)
    assert mail_clinic.box.flags() == [{SEEN}] * 3


def test_a_letter_that_cannot_be_handed_in_stops_none_behind_it(mail_clinic: MailClinic) -> None:
    crm = mail_clinic.clinic.crm

    def breaks(unit: object, mailbox: str, raw: bytes, read: object) -> None:
        if b"poison" in raw:
            raise RuntimeError("Vera Quill")
        hand_in(unit, mailbox, raw, read)  # type: ignore[arg-type]

    mail_clinic.box.deliver(letter("poison", "first"), letter("two", "second"))
    chore = MailChore(crm.units, "front_desk", mail_clinic.box.table(), breaks)
    assert chore.run(never).done == 2
    chore.close()
    mail_clinic.handle()
    odd, second = mail_clinic.messages()
    assert ("could not be taken in as a letter" in odd, "first" in odd, second) == (True, True, "second\n")


def test_without_an_agreement_in_date_the_mailbox_is_not_read(mail_clinic: MailClinic) -> None:
    mail_clinic.box.deliver(letter())
    with mail_clinic.clinic.crm.write(SYSTEM) as unit:
        end_vendor(unit, VENDOR)
    assert (mail_clinic.read().claimed, state_of(mail_clinic)) == (0, "its vendor has no BAA in date")
    assert mail_clinic.box.flags() == [set()]


def test_two_pollers_do_not_read_one_mailbox_at_once_and_one_that_overslept_stops(mail_clinic: MailClinic) -> None:
    first, second = mail_clinic.chore(), mail_clinic.chore()
    first.run(never)
    mail_clinic.box.deliver(letter("one"))
    assert second.run(never).claimed == 0
    mail_clinic.clinic.at(mail_clinic.clinic.crm.clock.now() + LEASE + timedelta(seconds=1))
    assert second.run(never).claimed == 1
    # The first slept through its lease: it takes in nothing new, and moves nothing on.
    mail_clinic.box.deliver(letter("two"))
    assert first.run(never).claimed == 0
    assert second.run(never).claimed == 1
    for each in (first, second):
        each.close()
    mail_clinic.handle()
    assert len(mail_clinic.messages()) == 2


def test_a_reader_that_sleeps_through_its_lease_before_it_marks_makes_no_second_message(
    mail_clinic: MailClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_clinic.box.deliver(letter("one"))
    first, second = mail_clinic.chore(), mail_clinic.chore()
    mark_read = Imap.mark_read

    def asleep(imap: Imap, uids: list[int]) -> None:
        monkeypatch.setattr(Imap, "mark_read", mark_read)
        mail_clinic.clinic.at(mail_clinic.clinic.crm.clock.now() + LEASE + timedelta(seconds=1))
        assert second.run(never).done == 1
        mark_read(imap, uids)

    monkeypatch.setattr(Imap, "mark_read", asleep)
    assert first.run(never).done == 1
    second.close()
    mail_clinic.handle()
    assert len(mail_clinic.messages()) == 1
    assert mail_clinic.read().claimed == 0


def read_and_be_killed(settings: Settings, table: MailboxTable) -> None:
    """In a process of its own: end without warning when the letters that were taken in are to be marked."""

    def killed(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    Imap.mark_read = killed  # type: ignore[assignment,method-assign]
    with open_crm(settings, master=MASTER, clock=ShiftedClock(MONDAY)) as crm:
        MailChore(crm.units, "front_desk", table, hand_in).run(never)


def test_a_reader_killed_between_taking_in_and_marking_loses_nothing_and_makes_nothing_twice(
    mail_clinic: MailClinic, settings: Settings
) -> None:
    mail_clinic.box.deliver(letter("one"), letter("two"))
    child = multiprocessing.get_context("spawn").Process(
        target=read_and_be_killed, args=(settings, mail_clinic.box.table())
    )
    child.start()
    child.join(timeout=60)
    assert child.exitcode == -signal.SIGKILL
    assert mail_clinic.box.flags() == [set()] * 2
    mail_clinic.clinic.at(MONDAY + LEASE + timedelta(seconds=1))
    assert mail_clinic.read().claimed == 2
    assert len(mail_clinic.messages()) == 2
    assert mail_clinic.box.flags() == [{SEEN}] * 2


def test_a_letter_wakes_the_reader_that_waits_for_it(mail_clinic: MailClinic) -> None:
    """Told by the server (IDLE), not found by looking: the pause between two looks would be an hour."""
    chore = mail_clinic.chore(every=3600)
    assert chore.run(never).claimed == 0
    waiting = threading.Thread(target=chore.wait, args=(never,))
    waiting.start()
    mail_clinic.box.deliver(letter("one"))
    waiting.join(timeout=20)
    assert not waiting.is_alive()
    assert chore.run(never).claimed == 1
    chore.close()


def test_waiting_ends_when_the_poller_is_stopped_and_leaves_the_mailbox_to_others(mail_clinic: MailClinic) -> None:
    chore = mail_clinic.chore(every=3600)
    chore.run(never)
    stop = threading.Event()
    waiting = threading.Thread(target=chore.wait, args=(stop.is_set,))
    waiting.start()
    stop.set()
    waiting.join(timeout=5)
    assert not waiting.is_alive()
    chore.close()
    with mail_clinic.clinic.crm.read(SYSTEM) as unit:
        assert unit.scalar(select(MailboxRow.lease_until)) is None


def test_a_reader_that_is_stopped_marks_what_it_took_in_and_leaves_the_rest_for_the_next(
    mail_clinic: MailClinic,
) -> None:
    mail_clinic.box.deliver(letter("one"), letter("two"), letter("three"))
    asked = iter([False, False, False])
    chore = mail_clinic.chore()
    assert chore.run(lambda: next(asked, True)).done == 2
    chore.close()
    assert mail_clinic.box.flags() == [{SEEN}, {SEEN}, set()]
    assert mail_clinic.read().claimed == 1
    assert len(mail_clinic.messages()) == 3


def test_a_reader_that_waits_keeps_its_lease(mail_clinic: MailClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "HOLD_EVERY", 0.0)
    chore = mail_clinic.chore()
    chore.run(never)
    mail_clinic.clinic.at(MONDAY + LEASE)
    chore.wait(never)
    chore.run(never)
    with mail_clinic.clinic.crm.read(SYSTEM) as unit:
        assert unit.scalar(select(MailboxRow.lease_until)) == MONDAY + 2 * LEASE
    chore.close()


def test_what_came_in_html_or_with_files_is_taken_in_with_them(mail_clinic: MailClinic) -> None:
    made = letter(text="See the scan.")
    made.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="scan.png")
    mail_clinic.box.deliver(made.as_bytes(policy=SMTP))
    mail_clinic.read()
    with mail_clinic.clinic.crm.read(SYSTEM) as unit:
        assert unit.scalar(select(Message.attachments)) == 1
