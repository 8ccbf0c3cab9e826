"""A home's settings: read at the edge, refused while others may read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_core.errors import StoreMissing
from crm_core.settings import (
    BadSettings,
    KeySource,
    SmtpTable,
    SpoolTable,
    TooOpen,
    close_to_others,
    find_home,
    read_secret,
    read_settings,
    write_settings,
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir(mode=0o700)
    return made


def write(home: Path, text: str) -> None:
    file = home / "crm.toml"
    file.write_text(text, "utf-8")
    file.chmod(0o600)


def test_what_init_writes_reads_back(home: Path) -> None:
    file = write_settings(home, key=KeySource.FILE, playbook="primary_care")
    settings = read_settings(home)
    assert file.stat().st_mode & 0o777 == 0o600
    assert settings.database == home / "crm.db"
    assert settings.key_source is KeySource.FILE
    assert settings.lock_seconds == 120
    assert settings.anchor == home / "anchor.jsonl"
    assert settings.gateways == {"sms": SpoolTable(kind="spool", path=home / "sms.jsonl")}


def test_every_mistake_is_named_at_once(home: Path) -> None:
    write(home, '[store]\nurl = 3\n[console]\nlock_seconds = 10\n[gateway.email]\nkind = "smtp"\nhots = "x"\n')
    with pytest.raises(BadSettings) as refused:
        read_settings(home)
    for key in ("store.url", "console.lock_seconds", "gateway.email.host", "gateway.email.hots", "gateway.email.from"):
        assert key in refused.value.message
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[listen]\npublic_url = "https://a"\n[listen.twilio]\naccount = "ac1"\ntoken_file = "t"',
            "listen.twilio.account",
        ),
        ('[gateway.sms]\nkind = "twilio"\naccount = "ac1"', r"gateway.sms.account: string should match pattern '\^AC"),
        ('[gateway.email]\nkind = "smtp"\nfrom = "The front desk"', "gateway.email.from: it is an address"),
        ('[gateway.email]\nkind = "smtp"\nfrom = "a@b.org\\nBcc: c@d.org"', "gateway.email.from: it is an address"),
    ],
)
def test_a_mistake_is_named_by_its_table_and_the_right_way_to_write_it(home: Path, text: str, said: str) -> None:
    write(home, text)
    with pytest.raises(BadSettings, match=said):
        read_settings(home)


def test_a_file_that_is_no_toml_says_where(home: Path) -> None:
    write(home, "[store\n")
    with pytest.raises(BadSettings, match="line 1"):
        read_settings(home)


def test_an_smtp_gateway_is_read_with_its_paths_made_absolute(home: Path) -> None:
    write(
        home,
        '[gateway.email]\nkind = "smtp"\nhost = "mail.example.org"\nfrom = "desk@example.org"\n'
        'vendor = "Example Mail"\npassword_file = "smtp-password"\nca_file = "/etc/ca.pem"\n',
    )
    table = read_settings(home).gateways["email"]
    assert isinstance(table, SmtpTable)
    assert table.sender == "desk@example.org"
    assert table.password_file == home / "smtp-password"
    assert table.ca_file == Path("/etc/ca.pem")


def test_a_database_password_comes_from_its_file_and_is_shown_nowhere(home: Path) -> None:
    write(home, '[store]\nurl = "postgresql://crm@db.example.org/crm"\npassword_file = "store-password"\n')
    secret = home / "store-password"
    secret.write_text("p@ss/word\n", "utf-8")
    secret.chmod(0o600)
    settings = read_settings(home)
    assert settings.store_url == "postgresql://crm:p%40ss%2Fword@db.example.org/crm"
    assert settings.store_label == "postgresql://db.example.org/crm"
    assert settings.database is None
    assert "ss/word" not in repr(settings)
    assert "%2Fword" not in repr(settings)


@pytest.mark.parametrize("name", ["crm.toml", "crm.db", "crm.key", "."])
def test_anything_that_others_may_read_stops_the_start_until_it_is_closed(home: Path, name: str) -> None:
    write(home, "")
    path = home / name
    if name != ".":
        path.touch()
    path.chmod(0o644 if name != "." else 0o755)
    with pytest.raises(TooOpen, match="crm doctor --fix") as refused:
        read_settings(home)
    assert refused.value.exit_code == 4
    assert close_to_others(home) == [path if name != "." else home]
    assert read_settings(home).home == home


def test_a_password_file_that_others_may_read_is_refused(home: Path) -> None:
    secret = home / "smtp-password"
    secret.write_text("x", "utf-8")
    secret.chmod(0o640)
    with pytest.raises(TooOpen):
        read_secret(secret)


def test_without_a_home_the_remedy_is_init(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="crm init"):
        read_settings(tmp_path / "nowhere")


def test_the_home_is_the_one_given_then_crm_home_then_the_platforms(tmp_path: Path) -> None:
    assert find_home(tmp_path, {"CRM_HOME": "/elsewhere"}) == tmp_path
    assert find_home(None, {"CRM_HOME": str(tmp_path)}) == tmp_path
    assert find_home(None, {}).name == "crm"
