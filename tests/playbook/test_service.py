"""Versions in the store: what is in force, for whom, and what applying leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import event, func, select

from crm_core.access.model import SYSTEM, Role
from crm_core.app import Crm
from crm_core.audit.tables import AuditRow
from crm_core.audit.tags import Tag
from crm_core.errors import NotPermitted
from crm_core.playbook.clinic import ClinicSection
from crm_core.playbook.loader import Playbook, load, load_content
from crm_core.playbook.service import APPLIERS, apply, in_force
from crm_core.playbook.shipped import shipped
from crm_core.playbook.tables import PlaybookVersion
from crm_core.sections import SECTIONS
from crm_core.work.units import WriteUnit
from tests.conftest import StaffFactory


@pytest.fixture
def renamed() -> Playbook:
    """The shipped playbook of a clinic that moved across the street."""
    content = dict(load(shipped("primary_care"), SECTIONS).content)
    content["clinic.toml"] = content["clinic.toml"].replace("Maple Street", "Elm Street")
    return load_content(content, SECTIONS, name="primary_care")


def versions(crm: Crm) -> int:
    """How many versions the store holds."""
    with crm.read(SYSTEM) as unit:
        return int(unit.scalar(select(func.count()).select_from(PlaybookVersion)))


def test_a_new_store_works_under_version_one(crm: Crm) -> None:
    with crm.read(SYSTEM) as unit:
        playbook = in_force(unit)
    assert (playbook.version, playbook.name) == (1, "primary_care")
    assert playbook.section(ClinicSection).name == "Maple Street Primary Care"
    assert playbook.content == load(shipped("primary_care"), SECTIONS).content


def test_applying_a_change_makes_the_next_version_and_audits_it(
    crm: Crm, staff: StaffFactory, renamed: Playbook
) -> None:
    admin = staff(Role.ADMIN)
    with crm.write(admin) as unit:
        assert apply(unit, renamed) == 2
    with crm.read(SYSTEM) as unit:
        assert in_force(unit).section(ClinicSection).name == "Elm Street Primary Care"
        assert in_force(unit).version == 2
        kept = unit.execute(select(PlaybookVersion.applied_by, PlaybookVersion.applied_at).order_by("version")).all()
        audited = select(AuditRow.actor_id).where(AuditRow.tag == Tag.PLAYBOOK_APPLIED)
        assert set(unit.scalars(audited)) == {0, admin.staff_id}
    assert [row.applied_by for row in kept] == [0, admin.staff_id]
    assert kept[1].applied_at == crm.clock.now()


def test_applying_what_is_in_force_writes_nothing(crm: Crm) -> None:
    with crm.read(SYSTEM) as unit:
        before = unit.scalar(select(func.count()).select_from(AuditRow))
    with crm.write(SYSTEM) as unit:
        assert apply(unit, load(shipped("primary_care"), SECTIONS)) == 1
    with crm.read(SYSTEM) as unit:
        assert unit.scalar(select(func.count()).select_from(AuditRow)) == before
    assert versions(crm) == 1


def test_going_back_to_an_older_text_is_a_new_version(crm: Crm, renamed: Playbook) -> None:
    for playbook, version in ((renamed, 2), (load(shipped("primary_care"), SECTIONS), 3)):
        with crm.write(SYSTEM) as unit:
            assert apply(unit, playbook) == version


def test_a_unit_keeps_the_playbook_it_began_with(crm: Crm, renamed: Playbook) -> None:
    with crm.read(SYSTEM) as reading:
        assert in_force(reading).version == 1
        with crm.write(SYSTEM) as unit:
            apply(unit, renamed)
        assert in_force(reading).version == 1
    with crm.read(SYSTEM) as reading:
        assert in_force(reading).version == 2


def test_the_unit_that_applies_works_under_the_new_one_and_a_rollback_forgets_it(crm: Crm, renamed: Playbook) -> None:
    other = replace(renamed, content={**renamed.content, "clinic.toml": renamed.content["clinic.toml"] + "# moved\n"})
    with pytest.raises(RuntimeError), crm.write(SYSTEM) as unit:
        apply(unit, renamed)
        assert in_force(unit).version == 2
        raise RuntimeError
    with crm.read(SYSTEM) as unit:
        assert in_force(unit).version == 1
    with crm.write(SYSTEM) as unit:
        assert apply(unit, other) == 2
    with crm.read(SYSTEM) as unit:
        assert in_force(unit).content["clinic.toml"].endswith("# moved\n")


def test_appliers_run_in_the_same_unit_and_one_that_fails_leaves_no_version(crm: Crm, renamed: Playbook) -> None:
    seen: list[int] = []

    def fails(unit: WriteUnit, playbook: Playbook) -> None:
        seen.append(playbook.version)
        raise RuntimeError

    crm.units.shared[APPLIERS] = (*crm.units.shared[APPLIERS], fails)
    with pytest.raises(RuntimeError), crm.write(SYSTEM) as unit:
        apply(unit, renamed)
    assert seen == [2]
    assert versions(crm) == 1


def test_only_who_may_apply_does_and_who_may_not_read_is_refused(
    crm: Crm, staff: StaffFactory, renamed: Playbook
) -> None:
    with pytest.raises(NotPermitted, match="playbook:apply"), crm.write(staff(Role.SUPERVISOR)) as unit:
        apply(unit, renamed)
    with crm.read(staff(Role.AGENT)) as unit:
        assert in_force(unit).version == 1


@pytest.fixture
def statements(crm: Crm) -> Iterator[list[str]]:
    """The SQL that mentions the playbook, as it runs."""
    ran: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "playbook_version" in statement:
            ran.append(statement)

    event.listen(crm.store.reading, "before_cursor_execute", note)
    yield ran
    event.remove(crm.store.reading, "before_cursor_execute", note)


def test_a_unit_asks_the_store_once_which_version_is_in_force(crm: Crm, statements: list[str]) -> None:
    with crm.read(SYSTEM) as unit:
        first = in_force(unit)
    statements.clear()
    with crm.read(SYSTEM) as unit:
        assert in_force(unit) is first
        assert in_force(unit) is first
    assert len(statements) == 1
