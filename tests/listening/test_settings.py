"""`[listen]` of crm.toml: what is safe, and what is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_core.listen_settings import ListenTable
from crm_core.settings import BadSettings, parse_settings
from crm_tui.listening.signing import BadSecret, BadToken, new_secret, shared_secret, twilio_token


def listen_in(home: Path, toml: str) -> ListenTable:
    file = home / "crm.toml"
    file.write_text(toml, "utf-8")
    return parse_settings(home, file).listen


def test_without_a_table_nobody_may_bring_anything(tmp_path: Path) -> None:
    table = listen_in(tmp_path, "")
    assert (table.host, table.port, table.has_endpoints) == ("127.0.0.1", 8021, False)


def test_every_path_is_the_homes(tmp_path: Path) -> None:
    table = listen_in(
        tmp_path,
        """
        [listen]
        public_url = "https://crm.example.org/in/"
        certificate = "tls/cert.pem"
        key = "/etc/key.pem"
        [listen.twilio]
        account = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        token_file = "twilio-token"
        [listen.hook.portal]
        channel = "portal"
        secret_file = "portal-secret"
        """,
    )
    assert table.public_url == "https://crm.example.org/in"
    assert (table.certificate, table.key) == (tmp_path / "tls/cert.pem", Path("/etc/key.pem"))
    assert table.twilio is not None
    assert table.twilio.token_file == tmp_path / "twilio-token"
    assert table.hook["portal"].secret_file == tmp_path / "portal-secret"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('[listen]\nhost = "0.0.0.0"', "beyond this host"),
        ('[listen]\nhost = "crm.example.org"', "beyond this host"),
        ('[listen]\ncertificate = "a.pem"', "go together"),
        ('[listen]\npublic_url = "crm.example.org"', "an address like"),
        ('[listen]\npublic_url = "https://crm.example.org:99999"', "listen.public_url"),
        ('[listen.twilio]\naccount = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"\ntoken_file = "t"', "needs public_url"),
        ("[listen.form.site]", "nobody may post it"),
        ('[listen.form.site]\norigins = ["*"]', "an origin is"),
        ('[listen.form.site]\norigins = ["https://www.example.org/form"]', "an origin is"),
        ('[listen.hook.portal]\nchannel = "sms"\nsecret_file = "s"', "listen.hook.portal.channel"),
        ('[listen.hook."../x"]\nchannel = "portal"\nsecret_file = "s"', "listen.hook"),
        ("[listen]\nlargest_body = 50000000", "largest_body"),
    ],
)
def test_what_is_not_safe_is_refused(tmp_path: Path, toml: str, said: str) -> None:
    with pytest.raises(BadSettings, match=said):
        listen_in(tmp_path, toml)


@pytest.mark.parametrize("text", ["", " ", "a-token", "0" * 31, "0" * 33, "g" * 32])
def test_a_token_of_twilio_that_is_none_is_refused_before_anything_listens(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text(text + "\n", "utf-8")
    with pytest.raises(BadToken, match="32"):
        twilio_token(file)
    file.write_text("0123456789abcdef" * 2 + " \n", "utf-8")
    assert repr(twilio_token(file)) == "TwilioToken()"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.9"])
def test_this_host_needs_no_certificate_and_a_proxy_has_its_own(tmp_path: Path, host: str) -> None:
    assert listen_in(tmp_path, f'[listen]\nhost = "{host}"').host == host
    assert listen_in(tmp_path, '[listen]\nhost = "0.0.0.0"\nbehind_proxy = true').behind_proxy


@pytest.mark.parametrize("text", ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", "A" * 44])
def test_a_secret_that_is_none_is_refused_before_anything_listens(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secret"
    file.touch(0o600)
    file.write_text(text + "\n", "utf-8")
    with pytest.raises(BadSecret, match="new-key"):
        shared_secret(file)
    file.write_text(new_secret() + "\n", "utf-8")
    assert repr(shared_secret(file)) == "SharedSecret()"
