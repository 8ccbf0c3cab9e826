"""What a unit of work promises, on both stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text, update

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.access.service import disable
from crm_core.access.tables import STAFF
from crm_core.app import Crm, open_crm
from crm_core.audit.packing import unpack
from crm_core.audit.tables import AuditRow
from crm_core.audit.tags import Outcome, Tag
from crm_core.channels.tables import Vendor
from crm_core.channels.vendors import add_vendor
from crm_core.errors import AlreadyInUse, CrmError, NotFound, NotPermitted, Unavailable
from crm_core.patients.queries import patient
from crm_core.patients.tables import Patient
from crm_core.store.driver_errors import Unanswered
from crm_core.vault.sealed import Sealed
from crm_core.work.units import ReadUnit, WriteUnit
from tests.conftest import MASTER, MONDAY, StaffFactory
from tests.patients.people import person, phone, save

Row = dict[str, Any]


@pytest.fixture
def people(crm: Crm) -> list[int]:
    """Three patients' ids."""
    drafts = [person("Ames", "Ann", "M1", None, phone("+1 212 555 0101")), person("Boyd", "Bo", "M2")]
    made = save(crm, *drafts, person("Cole", "Cy", "M3"))
    return [saved.patient_id for saved in made if saved.patient_id is not None]


@pytest.fixture
def agent(crm: Crm, staff: StaffFactory) -> Actor:
    """One who may read patients."""
    return staff(Role.AGENT)


def audit_rows(crm: Crm) -> list[Row]:
    """Every audit row as it is stored."""
    table = AuditRow.__table__
    with crm.store.reading.connect() as connection:
        return [dict(row) for row in connection.execute(select(table).order_by(table.c.at, table.c.seq)).mappings()]


@contextmanager
def added(crm: Crm) -> Iterator[list[Row]]:
    """The audit rows that come to be inside."""
    before = {(row["chain"], row["seq"]) for row in audit_rows(crm)}
    rows: list[Row] = []
    yield rows
    rows += [row for row in audit_rows(crm) if (row["chain"], row["seq"]) not in before]


def tags(rows: list[Row]) -> list[str]:
    """What each row says was done."""
    return [row["tag"] for row in rows]


def family(unit: ReadUnit, patient_id: int) -> str | None:
    """Open one name, as a service does."""
    sealed: Sealed = unit.execute(select(Patient.family).where(Patient.id == patient_id)).scalar_one()
    return unit.open(sealed)


def vendor(unit: WriteUnit, name: str) -> int:
    """Make some row that counts."""
    return add_vendor(unit, name=name, gateway="email", baa_from=MONDAY.date(), baa_until=MONDAY.date())


def vendors(crm: Crm) -> list[tuple[int, str]]:
    """The rows that were made."""
    with crm.store.reading.connect() as connection:
        found = connection.execute(select(Vendor.__table__.c.id, Vendor.__table__.c.name).order_by(Vendor.id))
        return [(row.id, row.name) for row in found]


@contextmanager
def no_audit(crm: Crm) -> Iterator[None]:
    """The audit's table is not where it belongs."""
    with crm.store.writing.begin() as connection:
        connection.execute(text("ALTER TABLE audit_row RENAME TO audit_row_elsewhere"))
    try:
        yield
    finally:
        with crm.store.writing.begin() as connection:
            connection.execute(text("ALTER TABLE audit_row_elsewhere RENAME TO audit_row"))


# Openings


def test_each_opened_record_is_one_audit_row_however_often_it_is_opened(
    crm: Crm, agent: Actor, people: list[int]
) -> None:
    with added(crm) as rows, crm.read(agent) as unit:
        shown = [family(unit, people[0]), family(unit, people[0]), family(unit, people[1])]
    assert shown == ["Ames", "Ames", "Boyd"]
    assert tags(rows) == ["patient:record:opened"] * 2
    assert [unpack(row["ids"]) for row in rows] == [(people[0],), (people[1],)]
    assert {row["actor_id"] for row in rows} == {agent.staff_id}


def test_a_listing_is_one_audit_row_with_its_name_its_fields_and_every_id(
    crm: Crm, agent: Actor, people: list[int]
) -> None:
    with added(crm) as rows, crm.read(agent) as unit, unit.listing("people", "name", "born"):
        for patient_id in reversed(people):
            family(unit, patient_id)
    assert tags(rows) == ["list:records:shown"]
    assert (rows[0]["why"], rows[0]["subject"], unpack(rows[0]["ids"])) == (
        "people by born,name",
        "patient",
        tuple(people),
    )


def test_a_listing_within_a_listing_keeps_to_itself(crm: Crm, agent: Actor, people: list[int]) -> None:
    with added(crm) as rows, crm.read(agent) as unit:
        with unit.listing("outer"):
            family(unit, people[0])
            with unit.listing("inner"):
                family(unit, people[1])
            family(unit, people[2])
        family(unit, people[1])
    told = {row["why"]: unpack(row["ids"]) for row in rows}
    assert told == {"outer": (people[0], people[2]), "inner": (people[1],), None: (people[1],)}


def test_a_listing_left_by_an_error_is_audited_with_what_it_opened(crm: Crm, agent: Actor, people: list[int]) -> None:
    def broken() -> None:
        with crm.read(agent) as unit, unit.listing("people"):
            family(unit, people[0])
            raise ZeroDivisionError

    with added(crm) as rows, pytest.raises(ZeroDivisionError):
        broken()
    assert [(row["why"], unpack(row["ids"])) for row in rows] == [("people", (people[0],))]


def test_a_list_that_opened_nothing_leaves_no_row(crm: Crm, agent: Actor) -> None:
    with added(crm) as rows, crm.read(agent) as unit, unit.listing("people"):
        pass
    assert rows == []


def test_what_a_rolled_back_unit_opened_was_seen_all_the_same(crm: Crm, agent: Actor, people: list[int]) -> None:
    def broken() -> None:
        with crm.write(agent) as unit:
            family(unit, people[0])
            unit.audit(Tag.CONVERSATION_NOTED, 1)
            raise ZeroDivisionError

    with added(crm) as rows, pytest.raises(ZeroDivisionError):
        broken()
    assert tags(rows) == ["patient:record:opened"]


def test_nothing_is_shown_while_the_audit_cannot_be_written_and_it_recovers_by_itself(
    crm: Crm, agent: Actor, people: list[int]
) -> None:
    def ask(patient_id: int) -> Any:
        with crm.read(agent) as unit:
            return patient(unit, patient_id)

    with no_audit(crm):
        for _ in range(2):
            with pytest.raises(CrmError) as refused:
                ask(people[0])
            assert "Ames" not in f"{refused.value}{refused.value.facts}"
        with pytest.raises(CrmError), crm.write(SYSTEM) as unit:
            vendor(unit, "Example Mail")
        with pytest.raises(CrmError) as unknown:
            ask(987_654)
        assert not isinstance(unknown.value, NotFound), "a refusal that cannot be recorded says nothing"
    assert ask(people[0]).family == "Ames"
    assert vendors(crm) == []


def test_a_unit_that_has_ended_opens_and_asks_nothing(crm: Crm, agent: Actor, people: list[int]) -> None:
    with crm.read(agent) as unit:
        sealed = unit.execute(select(Patient.family).where(Patient.id == people[0])).scalar_one()
    with pytest.raises(RuntimeError):
        unit.open(sealed)
    with pytest.raises(Exception, match="closed"):
        unit.execute(select(Patient.id))


def test_who_may_not_read_patients_opens_none(crm: Crm, staff: StaffFactory, people: list[int]) -> None:
    admin = staff(Role.ADMIN)
    with added(crm) as rows, pytest.raises(NotPermitted), crm.read(admin) as unit:
        family(unit, people[0])
    assert [(row["tag"], row["outcome"], row["actor_id"]) for row in rows] == [
        ("access:call:denied", Outcome.DENIED, admin.staff_id)
    ]


# Refusals


def test_an_unknown_number_is_not_found_and_one_denied_event_that_names_it(crm: Crm, agent: Actor) -> None:
    with added(crm) as rows, pytest.raises(NotFound), crm.read(agent) as unit:
        patient(unit, 4711)
    assert [(row["tag"], row["outcome"], row["why"], unpack(row["ids"])) for row in rows] == [
        ("access:call:denied", Outcome.DENIED, "patient", (4711,))
    ]


def test_a_call_without_its_permission_is_refused_and_one_denied_event(crm: Crm, agent: Actor) -> None:
    with added(crm) as rows, pytest.raises(NotPermitted), crm.write(agent) as unit:
        vendor(unit, "Example Mail")
    assert tags(rows) == ["access:call:denied"]
    assert vendors(crm) == []


@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_disabled_account_is_cut_off_at_its_next_call_and_that_is_recorded(
    crm: Crm, agent: Actor, kind: str, people: list[int]
) -> None:
    begin: Callable[[Actor], ReadUnit] = getattr(crm, kind)
    with begin(agent) as unit:
        assert family(unit, people[0]) == "Ames"
    with crm.write(SYSTEM) as unit:
        disable(unit, agent.staff_id)
    with added(crm) as rows, pytest.raises(CrmError, match="disabled"), begin(agent):
        pytest.fail("the block must not run")
    assert [(row["tag"], row["why"], row["actor_id"]) for row in rows] == [
        ("access:call:denied", "cut off", agent.staff_id)
    ]


# Writing


def test_a_read_unit_cannot_write(crm: Crm, agent: Actor) -> None:
    with pytest.raises(CrmError), crm.read(agent) as unit:
        unit.execute(update(STAFF).values(name="Nobody"))
    with crm.read(SYSTEM) as unit:
        assert "Nobody" not in unit.scalars(select(STAFF.c.name))


def test_a_write_unit_commits_once_at_its_end_with_its_audit(crm: Crm) -> None:
    commits: list[object] = []
    crm.store.ids.give("vendor", range(1000, 1010))  # so that no block is taken below
    event.listen(crm.store.writing, "commit", commits.append)
    with added(crm) as rows:
        with crm.write(SYSTEM) as unit:
            vendor(unit, "Example Mail")
            vendor(unit, "Example Text")
            assert commits == []
            assert vendors(crm) == []
        assert len(commits) == 1
    assert [name for _, name in vendors(crm)] == ["Example Mail", "Example Text"]
    assert tags(rows) == ["vendor:agreement:added"] * 2


def test_a_unit_left_by_an_error_leaves_nothing(crm: Crm) -> None:
    with added(crm) as rows, pytest.raises(ZeroDivisionError), crm.write(SYSTEM) as unit:
        vendor(unit, "Example Mail")
        raise ZeroDivisionError
    assert vendors(crm) == []
    assert rows == []


def test_ids_of_a_rolled_back_unit_are_never_two_rows(crm: Crm) -> None:
    given: list[int] = []
    for turn in range(12):
        try:
            with crm.write(SYSTEM) as unit:
                given.append(vendor(unit, f"Vendor {turn}"))
                if turn % 2:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            given.pop()
    kept = [number for number, _ in vendors(crm)]
    assert kept == sorted(given)
    assert len(set(kept)) == 6


def test_a_store_opened_anew_gives_no_id_twice(crm: Crm) -> None:
    with crm.write(SYSTEM) as unit:
        first = unit.new_ids("vendor", 5)
    with open_crm(crm.settings, master=MASTER, clock=crm.clock) as again, again.write(SYSTEM) as unit:
        second = unit.new_ids("vendor", 5)
    assert not set(first) & set(second)


def test_the_next_unit_works_after_one_that_broke_at_its_beginning(crm: Crm, agent: Actor) -> None:
    with crm.write(SYSTEM) as unit:
        disable(unit, agent.staff_id)
    for _ in range(30):  # more than the pool holds connections
        with pytest.raises(CrmError), crm.write(agent):
            pass
    with crm.write(SYSTEM) as unit:
        vendor(unit, "Example Mail")
    assert len(vendors(crm)) == 1


def test_a_unit_that_writes_inside_another_does_not_wait_for_itself(crm: Crm) -> None:
    if crm.store.dialect != "sqlite":
        pytest.skip("only SQLite has one writer")
    with crm.write(SYSTEM), pytest.raises(RuntimeError), crm.write(SYSTEM):
        pass
    with crm.write(SYSTEM) as unit:
        vendor(unit, "Example Mail")


# Errors of the store


def test_what_the_store_refuses_is_told_in_a_word_without_its_value(crm: Crm) -> None:
    with crm.write(SYSTEM) as unit:
        vendor(unit, "Sentinel Mail")
    with pytest.raises(AlreadyInUse) as refused, crm.write(SYSTEM) as unit:
        vendor(unit, "Sentinel Mail")
    assert "Sentinel" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_rule_broken_at_the_commit_leaves_nothing(crm: Crm) -> None:
    with added(crm) as rows, pytest.raises(CrmError), crm.write(SYSTEM) as unit:
        number = vendor(unit, "Example Mail")
        unit.audit(Tag.VENDOR_ADDED, number, why="x", outcome="no such outcome")  # type: ignore[arg-type]
        unit.execute(insert(Vendor.__table__), [{"id": number}])  # type: ignore[arg-type]
    assert vendors(crm) == []
    assert rows == []


@pytest.fixture
def postgres(crm: Crm) -> Crm:
    """The store, where it is on the other side of a connection."""
    if crm.store.dialect != "postgresql":
        pytest.skip("SQLite has no connection to lose")
    return crm


def lose_connection(crm: Crm, *, saved: bool) -> None:
    """Cut the next COMMIT's connection, before the store has it or after: either way no reply comes."""

    left = [1]

    def cut(connection: Any) -> None:
        if left:
            left.pop()
            raw = connection.connection.driver_connection
            if saved:
                raw.commit()
            raw.close()

    event.listen(crm.store.writing, "commit", cut)


def test_a_commit_whose_reply_is_lost_stands_and_says_so(postgres: Crm) -> None:
    postgres.store.ids.give("vendor", range(1000, 1010))  # so that no block is taken below
    with added(postgres) as rows:
        lose_connection(postgres, saved=True)
        with postgres.write(SYSTEM) as unit:
            vendor(unit, "Example Mail")
    assert [name for _, name in vendors(postgres)] == ["Example Mail"]
    assert tags(rows) == ["vendor:agreement:added"]


def test_a_commit_that_never_arrived_is_told_and_can_be_repeated(postgres: Crm) -> None:
    postgres.store.ids.give("vendor", range(1000, 1010))  # so that no block is taken below
    lose_connection(postgres, saved=False)
    with pytest.raises(Unavailable) as told, postgres.write(SYSTEM) as unit:
        vendor(unit, "Example Mail")
    assert not isinstance(told.value, Unanswered)
    assert vendors(postgres) == []
    with postgres.write(SYSTEM) as unit:
        vendor(unit, "Example Mail")
    assert len(vendors(postgres)) == 1


def test_a_lost_commit_that_nothing_tells_of_is_said_to_be_unknown(postgres: Crm) -> None:
    lose_connection(postgres, saved=True)
    with pytest.raises(Unanswered), postgres.write(SYSTEM) as unit:
        unit.execute(update(STAFF).values(name="Somebody"))


def test_a_server_that_dropped_every_connection_is_found_again_without_a_restart(
    postgres: Crm, agent: Actor, people: list[int]
) -> None:
    with postgres.store.writing.connect() as connection:
        mine = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"))
    for _ in range(3):
        with postgres.read(agent) as unit:
            assert family(unit, people[0]) == "Ames"
