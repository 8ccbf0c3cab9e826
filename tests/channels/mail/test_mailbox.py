"""A mailbox is read over IMAP: what came is handed in, then marked; nothing is lost and nothing comes twice."""

from __future__ import annotations

from tests.channels.mail.conftest import MailClinic, letter

SEEN = rb"\Seen"


def test_a_letter_becomes_a_message_and_is_marked_as_read(mail_clinic: MailClinic) -> None:
    mail_clinic.box.deliver(letter(text="Could you send my bill again?"))
    assert mail_clinic.read().done == 1
    assert mail_clinic.messages() == ["Could you send my bill again?\n"]
    assert mail_clinic.box.flags() == [{SEEN}]


def test_what_was_read_is_not_fetched_again(mail_clinic: MailClinic) -> None:
    mail_clinic.box.deliver(letter("one"), letter("two"))
    assert [mail_clinic.read().claimed for _ in range(2)] == [2, 0]
    mail_clinic.box.deliver(letter("three"))
    assert mail_clinic.read().claimed == 1
    assert len(mail_clinic.messages()) == 3
