"""What stands of consent: the newest word, a number's withdrawal before all, and merged records together."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.channels.consent.book import confidential_requests, consent_book
from crm_core.channels.consent.model import About, Consented, Said, joined
from crm_core.channels.consent.queries import card
from crm_core.channels.consent.service import ask_for_confidence, end_confidence
from crm_core.errors import NotFound, UsageError
from crm_core.patients.merging import merge_records, unmerge
from crm_core.patients.preferences import prefer, preferences
from crm_core.patients.proxies import receivers
from crm_core.words import Channel, Purpose
from tests.channels.consent.said import GRANTED, WITHDRAWN, book, point_of, say, standing
from tests.conftest import MONDAY
from tests.inbox.conftest import Clinic
from tests.patients.people import count_statements


def test_the_newest_entry_of_a_patient_wins_and_says_which_it_is(clinic: Clinic) -> None:
    assert standing(clinic, "Ana").state is Consented.NONE
    say(clinic, "Ana", GRANTED)
    no = say(clinic, "Ana", WITHDRAWN)
    seen = standing(clinic, "Ana")
    assert (seen.state, seen.entry_id, seen.at) == (Consented.WITHDRAWN, no, MONDAY + timedelta(minutes=2))
    assert standing(clinic, "Bo").state is Consented.NONE
    assert standing(clinic, "Ana", purpose=Purpose.REMINDER).state is Consented.NONE


def test_no_more_messages_at_all_withdraws_each_purpose_until_one_is_granted_again(clinic: Clinic) -> None:
    say(clinic, "Ana", GRANTED)
    say(clinic, "Ana", WITHDRAWN, About.EVERYTHING)
    assert standing(clinic, "Ana").withdrawn
    assert standing(clinic, "Ana", purpose=Purpose.REMINDER).withdrawn
    say(clinic, "Ana", GRANTED, About.REMINDER)
    assert standing(clinic, "Ana", purpose=Purpose.REMINDER).granted
    assert standing(clinic, "Ana").withdrawn


def test_an_opt_out_at_the_number_beats_every_grant_and_start_ends_it(clinic: Clinic) -> None:
    number = point_of(clinic, 0)
    say(clinic, "Ana", GRANTED)
    stop = clinic.text("STOP")
    say(clinic, "Ana", GRANTED)
    seen = standing(clinic, "Ana", number)
    assert (seen.state, seen.at) == (Consented.WITHDRAWN, MONDAY + timedelta(minutes=1))
    assert seen.entry_id is not None
    assert stop.message_id
    assert standing(clinic, "Ana", point_of(clinic, 1)).granted
    clinic.text("START")
    assert standing(clinic, "Ana", number).granted


def test_details_over_a_plain_channel_stand_for_that_channel_alone(clinic: Clinic) -> None:
    say(clinic, "Ana", GRANTED, About.PLAIN_CONTENT)
    assert book(clinic).plain_content(clinic.patients["Ana"], Channel.SMS)
    assert not book(clinic).plain_content(clinic.patients["Ana"], Channel.EMAIL)
    assert not book(clinic).plain_content(clinic.patients["Bo"], Channel.SMS)
    say(clinic, "Ana", WITHDRAWN, About.PLAIN_CONTENT)
    assert not book(clinic).plain_content(clinic.patients["Ana"], Channel.SMS)


def test_after_a_merge_a_withdrawal_on_either_record_wins_until_something_new_is_said(clinic: Clinic) -> None:
    say(clinic, "Bo", WITHDRAWN)
    say(clinic, "Ana", GRANTED)
    clinic.at(MONDAY + timedelta(hours=1))
    clinic.do(SYSTEM, merge_records, [(clinic.patients["Bo"], clinic.patients["Ana"])])
    assert standing(clinic, "Ana").withdrawn
    say(clinic, "Ana", GRANTED)
    assert standing(clinic, "Ana").granted


def test_taking_a_merge_back_gives_each_record_its_own_word_again(clinic: Clinic) -> None:
    ana, bo = clinic.patients["Ana"], clinic.patients["Bo"]
    cy = clinic.patient("Cy", "Ode", "+1 212 555 0103", "1003")
    say(clinic, "Bo", WITHDRAWN)
    say(clinic, "Ana", GRANTED)
    clinic.do(SYSTEM, merge_records, [(bo, ana), (ana, cy)])
    assert standing(clinic, "Cy").withdrawn
    with pytest.raises(UsageError, match="by another record"):
        clinic.do(SYSTEM, unmerge, bo)
    assert clinic.do(SYSTEM, unmerge, ana) == cy
    assert (standing(clinic, "Cy").state, standing(clinic, "Ana").withdrawn) == (Consented.NONE, True)
    assert clinic.do(SYSTEM, unmerge, bo) == ana
    assert (standing(clinic, "Ana").granted, standing(clinic, "Bo").withdrawn) == (True, True)
    with pytest.raises(UsageError, match="not merged"):
        clinic.do(SYSTEM, unmerge, bo)


def test_after_a_merge_the_order_of_either_record_holds_and_a_new_request_ends_the_old(clinic: Clinic) -> None:
    ana, bo = clinic.patients["Ana"], clinic.patients["Bo"]
    clinic.do(clinic.agent, prefer, ana, [Channel.VOICE, Channel.SMS], [point_of(clinic, 0)])
    said = {"contact_point_id": None, "words": "not at home"}
    clinic.do(clinic.agent, ask_for_confidence, ana, channel=Channel.EMAIL, **said)
    clinic.do(SYSTEM, merge_records, [(ana, bo)])
    seen = clinic.see(clinic.agent, card, bo)
    assert (seen.preferred, seen.preferred_points) == ((Channel.VOICE, Channel.SMS), (point_of(clinic, 0),))
    until = MONDAY + timedelta(days=1)
    clinic.do(clinic.agent, ask_for_confidence, bo, channel=Channel.SMS, until_at=until, **said)
    clinic.at(until)
    assert clinic.see(clinic.agent, card, bo).confidential is None, "the request of before the merge was replaced"
    clinic.do(clinic.agent, prefer, bo, [])
    assert clinic.see(clinic.agent, card, bo).preferred == ()


def test_of_two_words_at_one_moment_the_withdrawal_counts() -> None:
    yes = Said(id=2, decision=GRANTED, at=MONDAY)
    no = Said(id=1, decision=WITHDRAWN, at=MONDAY)
    assert joined(yes, [(no, MONDAY)]) is no
    assert joined(yes, [(no, MONDAY - timedelta(seconds=1))]) is yes
    assert joined(None, []) is None


def test_a_request_for_one_way_only_binds_while_it_lasts(clinic: Clinic) -> None:
    ana, number = clinic.patients["Ana"], point_of(clinic, 0)

    def binding() -> tuple[Channel, int | None] | None:
        with clinic.crm.read(SYSTEM) as unit:
            found = confidential_requests(unit, [ana]).get(ana)
        return None if found is None else (found.channel, found.contact_point_id)

    until = MONDAY + timedelta(days=2)
    said = {"words": "not at home, please"}
    clinic.do(clinic.agent, ask_for_confidence, ana, channel=Channel.SMS, contact_point_id=number, **said)
    assert binding() == (Channel.SMS, number)
    later = {"from_at": MONDAY + timedelta(days=1), "until_at": until}
    clinic.do(clinic.agent, ask_for_confidence, ana, channel=Channel.VOICE, contact_point_id=None, **said, **later)
    assert binding() == (Channel.SMS, number)
    clinic.at(MONDAY + timedelta(days=1))
    assert binding() == (Channel.VOICE, None)
    clinic.at(until)
    assert binding() is None
    with pytest.raises(NotFound):
        clinic.do(clinic.agent, end_confidence, ana)
    with pytest.raises(UsageError, match="not on the patient's record"):
        other = point_of(clinic, 1)
        clinic.do(clinic.agent, ask_for_confidence, ana, channel=Channel.SMS, contact_point_id=other, **said)
    clinic.do(clinic.agent, ask_for_confidence, ana, channel=Channel.SMS, contact_point_id=None, **said)
    clinic.do(clinic.agent, end_confidence, ana)
    assert binding() is None


def test_however_many_patients_are_asked_about_it_takes_six_statements(clinic: Clinic) -> None:
    ids = [clinic.patient(f"N{n}", "Many", f"+1 212 555 {2000 + n}", f"2{n:03}") for n in range(8)]
    for name in ("N0", "N5"):
        say(clinic, name, GRANTED)
        clinic.do(clinic.agent, prefer, clinic.patients[name], [Channel.VOICE, Channel.SMS])
    counted = count_statements(clinic.crm.store.reading)
    with clinic.crm.read(SYSTEM) as unit:
        unit.scalar(select(1))  # a new connection asks the server about itself first
        for some in (ids[:1], ids):
            counted.clear()
            seen = consent_book(unit, some, list(range(1, len(some) + 1)))
            confidential_requests(unit, some)
            ranked = preferences(unit, some)
            receivers(unit, some)
            assert len([one for one in counted if one.startswith("SELECT")]) == 6
    assert seen.standing(ids[5], None, Channel.SMS, Purpose.OUTREACH).granted
    assert ranked == {ids[0]: (Channel.VOICE, Channel.SMS), ids[5]: (Channel.VOICE, Channel.SMS)}
