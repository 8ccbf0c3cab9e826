"""The ledger: what may be written down, by whom, and that nothing of it is ever changed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crm_core.access.model import SYSTEM, Role
from crm_core.channels.consent.model import About, How, SaidBy
from crm_core.channels.consent.queries import card, wording
from crm_core.channels.consent.service import record
from crm_core.errors import NotFound, NotPermitted, UsageError
from crm_core.patients.model import Relation
from crm_core.patients.proxies import add_proxy, end_proxy, proxies
from crm_core.words import Channel
from tests.channels.consent.said import GRANTED, WITHDRAWN, point_of, say
from tests.conftest import StaffFactory
from tests.inbox.conftest import Clinic
from tests.inbox.looking import tags


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent SET decision = 'granted'",
        "DELETE FROM consent",
        "INSERT OR REPLACE INTO consent SELECT * FROM consent",
        "TRUNCATE consent",
    ],
)
def test_the_store_refuses_to_change_or_lose_an_entry(clinic: Clinic, statement: str) -> None:
    only_there = {"INSERT": "sqlite", "TRUNCATE": "postgresql"}.get(statement.split(maxsplit=1)[0])
    if only_there not in (None, clinic.crm.store.dialect):
        pytest.skip(f"{statement.split(maxsplit=1)[0]} of this kind is {only_there}'s")
    say(clinic, "Ana", WITHDRAWN)
    with pytest.raises(DBAPIError, match="append-only"), clinic.crm.store.writing.begin() as connection:
        connection.execute(text(statement))
    assert len(clinic.see(clinic.agent, card, clinic.patients["Ana"]).entries) == 1


def test_an_entry_says_who_said_it_how_on_what_evidence_and_what_was_shown(clinic: Clinic) -> None:
    say(clinic, "Ana", GRANTED, how=How.FORM, evidence="  signed   at the desk ")
    say(clinic, "Ana", WITHDRAWN, About.CARE, how=How.TEXT, by_staff=True)
    seen = clinic.see(clinic.agent, card, clinic.patients["Ana"])
    last, first = seen.entries
    assert (first.said_by, first.how, first.evidence) == (SaidBy.PATIENT, How.FORM, "signed at the desk")
    assert (first.wording_version, last.wording_version) == ("2026-11", None)
    assert (last.said_by, last.recorded_by, first.message_id) == (SaidBy.STAFF, clinic.agent.staff_id, None)
    assert [(line.about.value, line.state.value) for line in seen.standing] == [
        ("care", "withdrawn"),
        ("outreach", "granted"),
    ]
    assert tags(clinic.crm).count("consent:ledger:granted") == 1
    assert tags(clinic.crm).count("consent:evidence:opened") == 2


def test_what_a_text_asked_for_is_in_the_ledger_with_that_text(clinic: Clinic) -> None:
    stop = clinic.text("STOP")
    clinic.text("stop.")
    start = clinic.text("START")
    entries = clinic.see(clinic.agent, card, clinic.patients["Ana"]).entries
    assert [(one.decision, one.message_id, one.how) for one in entries] == [
        (GRANTED, start.message_id, How.TEXT),
        (WITHDRAWN, stop.message_id, How.TEXT),
    ]
    assert {(one.contact_point_id, one.patient_id, one.about) for one in entries} == {
        (point_of(clinic, 0), None, About.EVERYTHING)
    }


def test_details_over_a_plain_channel_are_granted_only_after_the_warning(clinic: Clinic) -> None:
    with pytest.raises(UsageError, match="warning first"):
        say(clinic, "Ana", GRANTED, About.PLAIN_CONTENT, how=How.TEXT)
    say(clinic, "Ana", GRANTED, About.PLAIN_CONTENT, how=How.IN_PERSON)
    say(clinic, "Ana", WITHDRAWN, About.PLAIN_CONTENT, how=How.TEXT)
    for language, words in (("en", "not protected"), ("es", "no están protegidos"), ("ko", "not protected")):
        version, shown, draft = clinic.see(clinic.agent, wording, About.PLAIN_CONTENT, language)
        assert (version, draft) == ("2026-11", True)
        assert words in shown


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"evidence": "  "}, UsageError, "words are missing"),
        ({"evidence": "x" * 2001}, UsageError, "longer than"),
        ({"proxy_id": 999}, NotFound, "999"),
    ],
)
def test_what_rests_on_nothing_or_nobody_is_refused(
    clinic: Clinic, given: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        say(clinic, "Ana", GRANTED, **given)
    with pytest.raises(NotFound):
        clinic.do(
            clinic.agent, record, 999, channel=Channel.SMS, about=About.CARE, decision=GRANTED, how=How.PHONE,
            evidence="x",
        )  # fmt: skip
    assert clinic.see(clinic.agent, card, clinic.patients["Ana"]).entries == ()


def test_only_a_proxy_in_force_who_may_speak_says_something_for_a_patient(clinic: Clinic) -> None:
    ana, more = clinic.patients["Ana"], {"contact_point_id": point_of(clinic, 1), "relation": Relation.PARENT}
    mute = clinic.do(clinic.agent, add_proxy, ana, name="Eva", may_speak=False, may_receive=True, **more)
    mother = clinic.do(clinic.agent, add_proxy, ana, name="Ida Lopez", may_speak=True, may_receive=False, **more)
    with pytest.raises(NotFound):
        say(clinic, "Ana", GRANTED, proxy_id=mute)
    with pytest.raises(NotFound):
        say(clinic, "Bo", GRANTED, proxy_id=mother)
    say(clinic, "Ana", GRANTED, proxy_id=mother)
    assert clinic.see(clinic.agent, card, ana).entries[0].said_by is SaidBy.PROXY
    clinic.do(clinic.agent, end_proxy, ana, mother)
    with pytest.raises(NotFound):
        say(clinic, "Ana", WITHDRAWN, proxy_id=mother)
    assert [(one.name, one.in_force) for one in clinic.see(clinic.agent, proxies, ana)] == [("Eva", True)]
    assert len(clinic.see(clinic.agent, proxies, ana, ended=True)) == 2


def test_the_ledger_is_for_the_front_line_and_privacy_and_not_for_administrators(
    clinic: Clinic, staff: StaffFactory
) -> None:
    say(clinic, "Ana", GRANTED)
    with pytest.raises(NotPermitted):
        clinic.see(staff(Role.ADMIN), card, clinic.patients["Ana"])
    seen = clinic.see(staff(Role.PRIVACY), card, clinic.patients["Ana"])
    assert (len(seen.entries), [line.ends for line in seen.numbers]) == (1, [None])
    assert SYSTEM.staff_id == 0
