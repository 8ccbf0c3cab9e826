"""Signing in: delays that live in the store, and what a person is told afterwards."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from crm_core.access import service
from crm_core.access.guard import CutOff
from crm_core.access.model import SYSTEM, Role
from crm_core.access.passwords import hash_password
from crm_core.access.queries import NoAccount, actor_for_os_user
from crm_core.access.signin import (
    LONGEST_DELAY,
    PasswordNeeded,
    SignInRefused,
    TooSoon,
    claim_attempt,
    delay_after,
    sign_in,
    sign_in_system_user,
)
from crm_core.access.tables import STAFF
from crm_core.app import Crm, open_crm
from crm_core.audit.tables import AuditRow
from crm_core.audit.tags import Tag
from crm_core.clock import ShiftedClock
from crm_core.settings import Settings
from tests.conftest import MASTER

PASSWORD = "tea kettle marathon"
HASH = hash_password(PASSWORD)


@pytest.fixture
def ann(crm: Crm) -> int:
    with crm.write(SYSTEM) as unit:
        return service.create_staff(
            unit, login="ann", name="Ann Lee", roles=[Role.NURSE], os_user="alee", password_hash=HASH
        )


def wrong(crm: Crm, clock: ShiftedClock) -> None:
    with pytest.raises(SignInRefused):
        sign_in(crm, "ann", "not the password")


def test_a_person_signs_in_by_name_in_any_case_and_hears_of_the_last_time(
    crm: Crm, clock: ShiftedClock, ann: int
) -> None:
    first = sign_in(crm, " ANN ", PASSWORD)
    assert (first.actor.staff_id, first.last_signed_in_at, first.failed_since) == (ann, None, 0)
    assert first.actor.roles == {Role.NURSE}
    at = clock.now()
    clock.move(timedelta(hours=1))
    wrong(crm, clock)
    clock.move(timedelta(seconds=1))
    wrong(crm, clock)
    clock.move(timedelta(seconds=2))
    again = sign_in(crm, "ann", PASSWORD)
    assert (again.last_signed_in_at, again.failed_since) == (at, 2)
    assert sign_in(crm, "ann", PASSWORD).failed_since == 0


def test_delays_double_up_to_fifteen_minutes_and_never_lock_out_for_good() -> None:
    delays = [delay_after(failures).total_seconds() for failures in range(1, 13)]
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert delay_after(10_000) == LONGEST_DELAY


def test_an_attempt_before_its_time_is_refused_even_with_the_right_password(
    crm: Crm, clock: ShiftedClock, ann: int
) -> None:
    for failures in range(1, 4):
        wrong(crm, clock)
        clock.move(delay_after(failures) - timedelta(milliseconds=1))
        with pytest.raises(TooSoon, match="1 s"):
            sign_in(crm, "ann", PASSWORD)
        clock.move(timedelta(milliseconds=1))
    assert sign_in(crm, "ann", PASSWORD).failed_since == 3


def test_the_delay_survives_a_restart(settings: Settings, crm: Crm, clock: ShiftedClock, ann: int) -> None:
    wrong(crm, clock)
    crm.close()
    with open_crm(settings, master=MASTER, clock=clock) as reopened, pytest.raises(TooSoon):
        sign_in(reopened, "ann", PASSWORD)


def test_an_attempt_that_was_killed_before_its_check_counts_as_failed(crm: Crm, ann: int) -> None:
    with crm.write(SYSTEM) as unit:
        claim_attempt(unit, "ann")
    with pytest.raises(TooSoon):
        sign_in(crm, "ann", PASSWORD)


def test_ten_thousand_guesses_at_once_make_one_attempt(crm: Crm, ann: int) -> None:
    with crm.write(SYSTEM) as unit:
        claim_attempt(unit, "ann")
        for _ in range(100):
            with pytest.raises(TooSoon):
                claim_attempt(unit, "ann")
    with crm.read(SYSTEM) as unit:
        assert unit.scalar(select(STAFF.c.failed_attempts).where(STAFF.c.id == ann)) == 1


@pytest.mark.parametrize("login", ["nobody", "", "ann'--", "a" * 10_000])
def test_an_unknown_name_is_refused_in_the_same_words(crm: Crm, ann: int, login: str) -> None:
    with pytest.raises(SignInRefused) as refused:
        sign_in(crm, login, PASSWORD)
    assert refused.value.exit_code == 3


def test_a_disabled_account_is_refused_in_the_same_words_and_cut_off_at_its_next_call(crm: Crm, ann: int) -> None:
    actor = sign_in(crm, "ann", PASSWORD).actor
    with crm.write(SYSTEM) as unit:
        service.disable(unit, ann)
    with pytest.raises(CutOff), crm.read(actor):
        pytest.fail("the unit began")
    with pytest.raises(CutOff), crm.write(actor):
        pytest.fail("the unit began")
    with pytest.raises(SignInRefused):
        sign_in(crm, "ann", PASSWORD)


def test_new_roles_end_the_session_that_had_the_old_ones(crm: Crm, ann: int) -> None:
    actor = sign_in(crm, "ann", PASSWORD).actor
    with crm.write(SYSTEM) as unit:
        service.set_roles(unit, ann, [Role.AGENT])
    with pytest.raises(CutOff), crm.read(actor):
        pytest.fail("the unit began")
    assert sign_in(crm, "ann", PASSWORD).actor.roles == {Role.AGENT}


def test_the_look_at_the_account_is_one_statement(crm: Crm, ann: int) -> None:
    from sqlalchemy import event

    actor = sign_in(crm, "ann", PASSWORD).actor
    seen: list[str] = []
    event.listen(crm.store.reading, "before_cursor_execute", lambda *args: seen.append(args[2]))
    with crm.read(actor):
        pass
    assert len([statement for statement in seen if statement != "BEGIN"]) == 1


def test_the_operating_system_user_is_an_account_only_while_it_is_active(crm: Crm, ann: int) -> None:
    with crm.read(SYSTEM) as unit:
        assert actor_for_os_user(unit, "alee").staff_id == ann
        with pytest.raises(NoAccount):
            actor_for_os_user(unit, "bob")
    with crm.write(SYSTEM) as unit:
        service.disable(unit, ann)
    with crm.read(SYSTEM) as unit, pytest.raises(NoAccount):
        actor_for_os_user(unit, "alee")


def test_every_outcome_is_audited_and_no_password_is_stored(crm: Crm, clock: ShiftedClock, ann: int) -> None:
    wrong(crm, clock)
    clock.move(timedelta(seconds=1))
    sign_in(crm, "ann", PASSWORD)
    with pytest.raises(SignInRefused):
        sign_in(crm, "nobody", PASSWORD)
    with crm.read(SYSTEM) as unit:
        rows = unit.execute(select(AuditRow.tag, AuditRow.outcome).order_by(AuditRow.chain, AuditRow.seq)).all()
    ours = [(row.tag, row.outcome) for row in rows if row.tag.startswith("staff:session:")]
    assert ours == [
        (Tag.SESSION_REFUSED, "denied"),
        (Tag.SESSION_SIGNED_IN, "done"),
        (Tag.SESSION_REFUSED, "denied"),
    ]


def test_the_system_users_own_account_comes_in_without_a_password_only_where_it_has_none(
    crm: Crm, clock: ShiftedClock, ann: int
) -> None:
    with pytest.raises(PasswordNeeded), crm.write(SYSTEM) as unit:
        sign_in_system_user(unit, "alee")
    with crm.write(SYSTEM) as unit:
        bob = service.create_staff(unit, login="bob", name="Bob", roles=[Role.AGENT], os_user="bob")
        first = sign_in_system_user(unit, "bob")
    assert (first.actor.staff_id, first.last_signed_in_at) == (bob, None)
    with crm.write(SYSTEM) as unit:
        assert sign_in_system_user(unit, "bob").last_signed_in_at == clock.now()


def test_of_guesses_made_at_once_one_is_tried(crm: Crm, ann: int) -> None:
    together = threading.Barrier(6)
    outcomes: list[str] = []

    def guess() -> None:
        together.wait()
        try:
            with crm.write(SYSTEM) as unit:
                claim_attempt(unit, "ann")
            outcomes.append("tried")
        except TooSoon:
            outcomes.append("too soon")

    threads = [threading.Thread(target=guess) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["too soon"] * 5 + ["tried"]
