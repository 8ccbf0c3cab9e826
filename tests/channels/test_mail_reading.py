"""A letter as it travels becomes a message: its text, its files, what it answers, who wrote it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.channels.html_text import html_text
from crm_core.channels.mail.letters_in import LONGEST_WAY, taken
from crm_core.channels.mail_reading import NotALetter, read_letter
from crm_core.words import Channel

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def written(**headers: str) -> EmailMessage:
    letter = EmailMessage()
    given = {"From": "Maria Webb <maria@example.org>", "Subject": "My knee", "Message-ID": "<a1@mail.example>"}
    for name, value in {**given, **{key.replace("_", "-"): value for key, value in headers.items()}}.items():
        letter[name] = value
    return letter


def test_a_plain_letter_is_its_text_with_what_it_answers() -> None:
    letter = written(
        Date="Mon, 23 Nov 2026 09:14:00 -0500",
        In_Reply_To="<b0@clinic.example>",
        References="<a0@mail.example> <b0@clinic.example>",
    )
    letter.set_content("It still hurts — a lot.\n")
    got = read_letter(letter.as_bytes(), NOW)
    assert (got.channel, got.sender, got.subject) == (Channel.EMAIL, "maria@example.org", "My knee")
    assert got.text == "It still hurts — a lot.\n"
    assert got.at == datetime(2026, 11, 23, 14, 14, tzinfo=UTC)
    assert (got.message_id, got.in_reply_to) == ("<a1@mail.example>", "<b0@clinic.example>")
    assert got.references == ("<a0@mail.example>", "<b0@clinic.example>")
    assert got.provider_id == "<a1@mail.example> maria@example.org"
    assert not got.automatic


def test_of_two_forms_the_plain_one_is_read_and_of_html_alone_its_words() -> None:
    letter = written()
    letter.set_content("plain words")
    letter.add_alternative("<p>html words</p>", subtype="html")
    assert read_letter(letter.as_bytes(), NOW).text.strip() == "plain words"
    only = written()
    only.set_content("<html><style>p{}</style><p>Can I&nbsp;come <b>Friday</b>?</p></html>", subtype="html")
    got = read_letter(only.as_bytes(), NOW)
    assert (got.text, got.attachments) == ("Can I come Friday?", ())


def test_files_pictures_in_the_text_and_whole_letters_are_attached() -> None:
    letter = written()
    letter.set_content("See the pictures.")
    letter.add_attachment(b"\xff\xd8", maintype="image", subtype="jpeg", filename="rash.jpg")
    inner = written(Subject="Older")
    inner.set_content("chest pain")
    letter.add_attachment(inner)
    letter.add_attachment("a,b\n", subtype="csv", filename="list.csv")
    got = read_letter(letter.as_bytes(), NOW)
    assert got.text.strip() == "See the pictures."
    assert [(one.name, one.media_type) for one in got.attachments] == [
        ("rash.jpg", "image/jpeg"), ("", "message/rfc822"), ("list.csv", "text/csv"),
    ]  # fmt: skip
    assert got.attachments[0].content == b"\xff\xd8"
    assert b"chest pain" in (got.attachments[1].content or b"")


@pytest.mark.parametrize(
    ("header", "value", "automatic"),
    [
        ("Auto-Submitted", "auto-replied", True),
        ("Auto-Submitted", "auto-generated; by=x", True),
        ("Auto-Submitted", "no", False),
        ("X-Autoreply", "yes", True),
        ("Precedence", "bulk", True),
        ("Precedence", "first-class", False),
    ],
)
def test_what_a_machine_wrote_says_so_in_its_headers(header: str, value: str, automatic: bool) -> None:
    letter = written()
    letter[header] = value
    letter.set_content("I am out of the office.")
    assert read_letter(letter.as_bytes(), NOW).automatic is automatic


def test_what_names_no_sender_is_no_letter() -> None:
    for raw in (b"", b"hello", b"\x00" * 100, b"Subject: x\r\n\r\nhello"):
        with pytest.raises(NotALetter, match="names no sender"):
            read_letter(raw, NOW)


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.example\r\nContent-Type: text/plain; charset=no-such\r\n\r\nhello \xe9",
        b"From: a@b.example\r\nDate: yesterday\r\nReferences: <<>>\r\nIn-Reply-To:\r\n\r\nhello",
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhello\r\n--y",
        b"From: a@b.example\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8",
        b"From: =?utf-8?b?x?= <a@b.example>\r\nSubject: =?bad?q?=ff?=\r\n\r\nhello",
        b"From: a@b.example\r\nContent-Type: text/plain; name*=utf-8''%ff\r\n\r\nhello",
        b"From: a@b.example\r\nDate: Mon, 1 Jan 0001 00:00:00 +2359\r\n\r\nhello",
    ],
)
def test_a_broken_letter_is_still_read(raw: bytes) -> None:
    got = read_letter(raw, NOW)
    content = b"".join(one.content or b"" for one in got.attachments)
    assert "hello" in got.text + content.decode("utf-8", "replace")


@given(st.binary(max_size=400), st.sampled_from(["text/plain", "text/html", "multipart/mixed; boundary=x", "x/y"]))
def test_whatever_is_in_a_letter_it_is_read_or_refused(body: bytes, kind: str) -> None:
    raw = b"From: a@b.example\r\nContent-Type: " + kind.encode() + b"\r\n\r\n" + body
    assert read_letter(raw, NOW).sender == "a@b.example"
    with suppress(NotALetter):
        read_letter(body, NOW)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<p>x</p><script>alert(1)</script><p>y</p>", "x\n\ny"),
        ("<blockquote>old<br>words</blockquote>new", "> old\n> words\nnew"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n> > b"),
        ("<blockquote>never closed", "> never closed"),
        ("&lt;b&gt; &amp; &#x1F600;", "<b> & \N{GRINNING FACE}"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<title>hidden</title>shown<img src=x onerror=y>", "shown"),
    ],
)
def test_html_becomes_lines_and_nothing_of_it_runs(markup: str, text: str) -> None:
    assert html_text(markup) == text


@given(st.text(alphabet="<>/abp =\"'&;blockquote!-[]", max_size=200))
def test_any_markup_becomes_some_text(markup: str) -> None:
    assert isinstance(html_text(markup), str)


def test_markup_that_never_ends_its_quotations_is_read_to_a_depth() -> None:
    text = html_text("<blockquote>" * 5_000 + "deep" + "</blockquote>" * 4_999 + "<p>new")
    assert text == "> " * 19 + "deep\n>\n> new"


@pytest.mark.parametrize(
    ("date", "at"),
    [
        (NOW - LONGEST_WAY, NOW - LONGEST_WAY),
        (NOW - LONGEST_WAY - timedelta(seconds=1), NOW),
        (datetime(1900, 1, 1, tzinfo=UTC), NOW),
        (NOW + timedelta(seconds=1), NOW),
    ],
)
def test_whoever_dates_a_letter_back_waits_no_longer_for_it(date: datetime, at: datetime) -> None:
    letter = written(Date=format_datetime(date))
    letter.set_content("It still hurts.")
    assert taken(letter.as_bytes(), "front_desk", NOW).at == at


@pytest.mark.parametrize("charset", ["idna", '"utf-8\0x"', "no-such"])
def test_a_charset_that_is_none_costs_neither_the_words_nor_the_sender(charset: str) -> None:
    raw = f"From: maria@example.org\r\nContent-Type: text/plain; charset={charset}\r\n\r\nIt hurts \xe9".encode(
        "latin-1"
    )
    got = taken(raw, "front_desk", NOW)
    assert (got.sender, got.text, got.attachments) == ("maria@example.org", "It hurts \N{REPLACEMENT CHARACTER}", ())
