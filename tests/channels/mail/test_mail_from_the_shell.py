"""From crm.toml to the lane: what a clinic sets, runs and sees."""

from __future__ import annotations

from crm_core.clock import SystemClock
from tests.channels.mail.conftest import Box, letter
from tests.cli.conftest import Caller, call, closed_logs, crm_home, nobody_else

__all__ = ["call", "closed_logs", "crm_home", "nobody_else"]


def test_a_mailbox_in_crm_toml_is_read_by_the_poller_and_the_doctor_is_content(crm_home: Caller, box: Box) -> None:
    table = box.table()
    with (crm_home.home / "crm.toml").open("a") as settings:
        settings.write(
            f'[mailbox.front_desk]\nhost = "localhost"\nport = {table.port}\nuser = "{box.user}"\n'
            f'password_file = "{box.password_file}"\nca_file = "{table.ca_file}"\nvendor = "{table.vendor}"\n'
        )
    year = SystemClock().now().year
    dates = ("--from", f"{year - 1}-01-01", "--until", f"{year + 1}-12-31")
    crm_home.done("vendor", "add", table.vendor, "--gateway", "email", *dates)
    box.deliver(letter("My bill", "Could you send me a copy of my invoice from last month?"))
    assert crm_home.done("poll", "--once")["done"] == 2
    shown = crm_home.done("show", "C-1")
    assert (shown["channel"], shown["lane"], shown["state"]) == ("email", "billing", "new")
    doctor = {finding["check"]: finding for finding in crm_home("doctor", "--json").json}
    assert doctor["mailboxes"]["ok"], doctor["mailboxes"]["detail"]
