"""The person at this console, and what a console asks the core on their behalf."""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.app import Crm
from crm_tui.desk.acts import ActsDesk
from crm_tui.desk.company import CompanyDesk
from crm_tui.desk.consent import ConsentDesk
from crm_tui.desk.directory import DirectoryDesk
from crm_tui.desk.entrance import Entered
from crm_tui.desk.files import FilesDesk
from crm_tui.desk.finding import FindingDesk
from crm_tui.desk.handoff import HandoffDesk
from crm_tui.desk.lanes import Choices, LanesDesk
from crm_tui.desk.library import LibraryDesk
from crm_tui.desk.notices import NoticeDesk
from crm_tui.desk.outbox import OutboxDesk
from crm_tui.desk.patients import PatientDesk
from crm_tui.desk.ringing import RingingDesk
from crm_tui.desk.tasks import TaskDesk
from crm_tui.desk.threads import ThreadDesk


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """One session: who, their desks, and what pickers offer."""

    login: str
    name: str
    entered: Entered
    files: FilesDesk
    lanes: LanesDesk
    finding: FindingDesk
    acts: ActsDesk
    patients: PatientDesk
    tasks: TaskDesk
    directory: DirectoryDesk
    threads: ThreadDesk
    library: LibraryDesk
    handoff: HandoffDesk
    company: CompanyDesk
    consent: ConsentDesk
    outbox: OutboxDesk
    notices: NoticeDesk
    ringing: RingingDesk
    choices: Choices

    @property
    def has_password(self) -> bool:
        """Whether unlocking asks for one."""
        return self.entered.with_password

    @property
    def staff_id(self) -> int:
        """The account's number."""
        return self.entered.actor.staff_id

    @property
    def is_clinician(self) -> bool:
        """Whether this person acts on dangers."""
        return self.lanes.may("danger:act")


def signed_in(crm: Crm, login: str, entered: Entered) -> SignedIn:
    """The session of someone who has just signed in; reads what the pickers offer."""
    desk = LanesDesk(crm, entered.actor)
    return SignedIn(
        login=login,
        name=entered.actor.name,
        entered=entered,
        files=FilesDesk(crm, entered.actor),
        lanes=desk,
        finding=FindingDesk(crm, entered.actor),
        acts=ActsDesk(crm, entered.actor),
        patients=PatientDesk(crm, entered.actor),
        tasks=TaskDesk(crm, entered.actor),
        directory=DirectoryDesk(crm, entered.actor),
        threads=ThreadDesk(crm, entered.actor),
        library=LibraryDesk(crm, entered.actor),
        handoff=HandoffDesk(crm, entered.actor),
        company=CompanyDesk(crm, entered.actor),
        consent=ConsentDesk(crm, entered.actor),
        outbox=OutboxDesk(crm, entered.actor),
        notices=NoticeDesk(crm, entered.actor),
        ringing=RingingDesk(crm, entered.actor),
        choices=desk.choices(),
    )
