"""A driver's errors: ours when they leave the store, and without a value in them."""

from __future__ import annotations

import logging
import os
import sqlite3

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from crm_core.access.model import SYSTEM
from crm_core.access.tables import STAFF
from crm_core.app import Crm
from crm_core.errors import AlreadyInUse, CrmError, WrongKey
from crm_core.settings import Settings
from crm_core.store.driver_errors import RuleBroken, translate
from crm_core.store.engines import open_store
from crm_core.store.schema import check
from crm_core.work.units import WriteUnit

SECRET = "zebedee-quartermain"


def _add(unit: WriteUnit, number: int, login: str) -> None:
    unit.execute(
        STAFF.insert(),
        {"id": number, "login": login, "name": SECRET, "active": True, "epoch": 0, "created_at": unit.now},
    )


def _said(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """Everything that a person or a log is told."""
    chained = [str(each) for each in (error, error.__cause__) if each is not None]
    return "\n".join([*chained, *(record.getMessage() for record in caplog.records)])


def test_a_duplicate_account_is_already_in_use_and_only_the_rule_is_logged(
    crm: Crm, caplog: pytest.LogCaptureFixture
) -> None:
    with crm.write(SYSTEM) as unit:
        _add(unit, 9001, SECRET)
    with caplog.at_level(logging.DEBUG), pytest.raises(AlreadyInUse) as refused, crm.write(SYSTEM) as unit:
        _add(unit, 9002, SECRET)
    said = _said(refused.value, caplog)
    assert SECRET not in said
    assert "login" in said
    assert refused.value.__suppress_context__


def test_a_broken_rule_is_told_by_its_name_alone(crm: Crm, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(RuleBroken) as refused, crm.write(SYSTEM) as unit:
        unit.execute(text("INSERT INTO note (id, conversation_id, author_id, at, body_sealed) VALUES "
                          "(1, 424242, 1, CURRENT_TIMESTAMP, :body)"), {"body": SECRET.encode()})  # fmt: skip
    said = _said(refused.value, caplog)
    assert SECRET not in said
    assert "424242" not in said


def test_a_broken_rule_leaves_nothing_of_its_unit(crm: Crm) -> None:
    with pytest.raises(CrmError), crm.write(SYSTEM) as unit:
        _add(unit, 9001, SECRET)
        _add(unit, 9002, SECRET)
    with crm.read(SYSTEM) as unit:
        assert unit.scalar(text("SELECT count(*) FROM staff WHERE id >= 9001")) == 0


@pytest.mark.parametrize("settings", ["sqlcipher"], indirect=True)
def test_a_wrong_key_is_one_sentence_and_nothing_from_the_driver(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    store = open_store(settings.store_url, os.urandom(32))
    try:
        with pytest.raises(WrongKey) as refused:
            check(store)
    finally:
        store.close()
    assert str(refused.value).count(".") == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("state", ["SQLITE_IOERR", "SQLITE_IOERR_WRITE"])
def test_a_disk_that_breaks_off_is_named(state: str) -> None:
    broken = sqlite3.OperationalError("disk I/O error")
    broken.sqlite_errorname = state
    said = translate(OperationalError("UPDATE", {}, broken))
    assert str(said) == "The store is not available; look whether its disk is full or failing, then try again."
