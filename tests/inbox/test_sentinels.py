"""A scripted day of 200 sentinel names, numbers and texts: none is found in any file of the store, nor in the log."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from crm_core.app import Crm
from crm_core.channels.model import Attached
from crm_core.inbox import alarms, handling, queries, take, thread, undo
from crm_core.inbox.answering import answers, calls, drafts
from crm_core.patients.search import find
from crm_core.settings import Settings
from tests.conftest import MONDAY
from tests.inbox.conftest import Clinic

_LETTERS = "bdfgklmnprstvz"


def invented(at: int) -> str:
    """A word that stands nowhere else: `zqx` and six letters for the number."""
    digits = [at // len(_LETTERS) ** place % len(_LETTERS) for place in range(3)]
    return "zqx" + "".join(_LETTERS[digit] for digit in (*digits, *reversed(digits)))


def a_day(clinic: Clinic) -> list[str]:
    """Fifty patients' day; returns what must not be found."""
    secrets: list[str] = []
    for at in range(50):
        family, word = invented(at * 4), invented(at * 4 + 1)
        local = f"646{2000000 + at * 7919}"
        clinic.patient(invented(at * 4 + 2), family, local, f"MRN-{invented(at * 4 + 3)}")
        secrets += [family, word, local, invented(at * 4 + 3), invented(at * 4 + 2)]
        body = f"I have chest pain, {word}" if at % 10 == 0 else f"how much is my bill for the {word}"
        file = Attached(name=f"{word}.pdf", media_type="application/pdf", content=word.encode() * 40)
        letter_id = f"<{word}@{word}.example>"
        got = clinic.text(body, local, attachments=(file,), message_id=letter_id, references=(letter_id,))
        number = got.conversation_id
        if at % 10 == 0:
            clinic.do(clinic.nurse, alarms.acknowledge, number)
            continue
        clinic.do(clinic.agent, take.claim, number)
        clinic.do(clinic.agent, answers.note, number, f"note {word}")
        clinic.do(clinic.agent, drafts.save_draft, number, f"draft {word}")
        clinic.see(clinic.agent, thread.conversation, number)
        clinic.see(clinic.agent, thread.why_here, number)
        clinic.do(clinic.agent, calls.log_call, number, outcome="no_answer", reason="billing", words=f"call {word}")
        if at % 3 == 0:
            clinic.do(clinic.agent, answers.reply, clinic.crm.gate, number, f"reply {word}", hold=timedelta(seconds=15))
            clinic.do(clinic.agent, undo.undo_last)
        clinic.do(clinic.agent, handling.close, number, outcome="resolved", words=f"closed {word}")
    clinic.see(clinic.agent, queries.queue, "billing")
    clinic.see(clinic.agent, find, secrets[0])
    with pytest.raises(RuntimeError), clinic.crm.write(clinic.agent) as unit:
        answers.note(unit, 1, f"lost {secrets[1]}")
        raise RuntimeError(secrets[2])
    return secrets


def files_of(crm: Crm, settings: Settings) -> Iterator[Path]:
    """Every file of the store, after its memory has been written out."""
    yield from (path for path in settings.home.rglob("*") if path.is_file() and path.name != "spool.jsonl")
    if crm.store.dialect == "postgresql":
        with crm.store.reading.connect() as connection:
            connection.execute(text("CHECKPOINT"))
            data = Path(str(connection.execute(text("SHOW data_directory")).scalar()))
            database = connection.execute(
                text("SELECT oid FROM pg_database WHERE datname = current_database()")
            ).scalar()
        yield from (path for path in (data / "base" / str(database)).iterdir() if path.is_file())
        yield from (path for path in (data / "pg_wal").iterdir() if path.is_file())
        yield from data.glob("log*")


def test_none_of_the_days_sentinels_is_in_the_stores_files_or_the_log(
    clinic: Clinic, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = a_day(clinic)
    assert len(set(secrets)) >= 200
    assert str(clinic.see(clinic.agent, queries.of_patient, clinic.patients[secrets[4]]))
    clinic.at(MONDAY + timedelta(hours=1))
    wanted = re.compile(rf"zqx[{_LETTERS}]{{6}}|646[23]\d{{6}}".encode())
    assert all(wanted.search(secret.encode()) for secret in secrets)
    looked_at = [path for path in files_of(clinic.crm, settings) if path.is_file()]
    assert any(path.stat().st_size > 8192 for path in looked_at)
    for path in looked_at:
        found = wanted.search(path.read_bytes().lower())
        assert found is None, path.name
    assert wanted.search(caplog.text.lower().encode()) is None
