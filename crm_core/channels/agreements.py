"""Agreements that run out: a task for whoever must renew them, sixty days before and on the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta

from crm_core.access.model import SYSTEM, Permission, Role
from crm_core.access.needs import needs
from crm_core.channels.vendors import VendorView, vendors
from crm_core.dedup import agreement_key, agreement_over_key
from crm_core.playbook.clinic import ClinicSection
from crm_core.playbook.service import in_force
from crm_core.tasks.adding import add_task
from crm_core.tasks.ending import cancel_keyed
from crm_core.tasks.model import NewTask, TaskKind
from crm_core.timers.model import Tally
from crm_core.work.units import ReadUnit, Units, WriteUnit

ROLE = Role.SUPERVISOR
"""Who gets the task. An administrator sees no tasks, and reads the same in `crm doctor` and `crm vendor list`."""

RENEWED = "the agreement was renewed"


@needs(Permission.VENDOR_READ)
def warn_of_agreements(unit: WriteUnit) -> int:
    """Leave a task for each agreement that ends soon, and an urgent one for each that is over; once for each.

    What a renewal or the vendor's end has made pointless is cancelled. Returns how many agreements
    need somebody now.
    """
    needing = 0
    for vendor in vendors(unit):
        soon, over = agreement_key(vendor.id), agreement_over_key(vendor.id)
        if not (vendor.ends_soon or vendor.ran_out):
            cancel_keyed(unit, (soon, over), RENEWED)
            continue
        needing += 1
        if vendor.ran_out:
            cancel_keyed(unit, (soon,), "it is over: see the urgent task")
        add_task(unit, _task(unit, vendor, over if vendor.ran_out else soon))
    return needing


def _task(unit: ReadUnit, vendor: VendorView, key: str) -> NewTask:
    with_whom = f"the agreement (BAA) with {vendor.name} for {vendor.gateway}"
    if vendor.ran_out:
        title = f"URGENT: {with_whom} ended on {vendor.baa_until}: nothing leaves by it. Renew it"
    else:
        title = f"Renew {with_whom}: it ends on {vendor.baa_until}"
    return NewTask(
        kind=TaskKind.REVIEW,
        title=title,
        details="Record the new dates with `crm vendor add`; without them messages wait or are refused.",
        role=ROLE,
        due_at=unit.now if vendor.ran_out else _on(unit, vendor),
        dedup_key=key,
    )


def _on(unit: ReadUnit, vendor: VendorView) -> datetime:
    """The morning of the last day, where the clinic is."""
    zone = in_force(unit).section(ClinicSection).zone
    return datetime.combine(vendor.baa_until, time(8), tzinfo=zone)


class AgreementsChore:
    """Looks once an hour which agreements run out; a task is left once for each."""

    kind = "agreements"
    every = timedelta(hours=1)

    def __init__(self, units: Units) -> None:
        self._units = units

    def run(self, stopped: Callable[[], bool]) -> Tally:  # noqa: ARG002 - one short unit
        """Warn of what ends; nothing is written where nothing is to be said anew."""
        with self._units.read(SYSTEM) as unit:
            quiet = not vendors(unit)
        if not quiet:
            with self._units.write(SYSTEM) as unit:
                warn_of_agreements(unit)
        return Tally()

    def behind(self, unit: ReadUnit) -> timedelta | None:  # noqa: ARG002 - an hour late is not late here
        """Nothing waits for a poller here."""
        return None

    def close(self) -> None:
        """It keeps nothing open."""
