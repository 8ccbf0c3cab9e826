"""Roles, the permissions they are made of, and who is acting."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Permission(StrEnum):
    """A verb on a thing; every service function names the one it needs."""

    LANE_READ = "lane:read"
    CONVERSATION_READ = "conversation:read"
    CONVERSATION_WORK = "conversation:work"
    CONVERSATION_ASSIGN = "conversation:assign"
    CONVERSATION_RELINK = "conversation:relink"
    DANGER_ACT = "danger:act"
    MESSAGE_SEND = "message:send"
    MESSAGE_RECEIVE = "message:receive"
    OUTBOX_READ = "outbox:read"
    OUTBOX_DELIVER = "outbox:deliver"
    OUTBOX_RESOLVE = "outbox:resolve"
    TIMER_SET = "timer:set"
    POLLER_READ = "poller:read"
    CONSENT_READ = "consent:read"
    CONSENT_RECORD = "consent:record"
    NOTICE_READ = "notice:read"
    NOTICE_PLAN = "notice:plan"
    TASK_READ = "task:read"
    TASK_WORK = "task:work"
    PATIENT_READ = "patient:read"
    PATIENT_LINK = "patient:link"
    PATIENT_IMPORT = "patient:import"
    TEMPLATE_READ = "template:read"
    TEMPLATE_WRITE = "template:write"
    TEMPLATE_APPROVE = "template:approve"
    PLAYBOOK_READ = "playbook:read"
    PLAYBOOK_APPLY = "playbook:apply"
    PLAYBOOK_REHEARSE = "playbook:rehearse"
    STAFF_READ = "staff:read"
    STAFF_ROSTER = "staff:roster"
    STAFF_MANAGE = "staff:manage"
    VENDOR_READ = "vendor:read"
    VENDOR_MANAGE = "vendor:manage"
    AUDIT_READ = "audit:read"
    AUDIT_VERIFY = "audit:verify"
    SESSION_OPEN = "session:open"
    """Look an account up to sign it in: no role holds it, only the system."""

    @property
    def phrase(self) -> str:
        """What someone without it may not do, in words: "read lanes"."""
        return _PHRASES[self]


_PHRASES = {
    Permission.LANE_READ: "see lanes",
    Permission.CONVERSATION_READ: "read conversations",
    Permission.CONVERSATION_WORK: "work on conversations",
    Permission.CONVERSATION_ASSIGN: "assign conversations to others",
    Permission.CONVERSATION_RELINK: "move conversations to another patient",
    Permission.DANGER_ACT: "act on a danger",
    Permission.MESSAGE_SEND: "send messages",
    Permission.MESSAGE_RECEIVE: "take in messages",
    Permission.OUTBOX_READ: "see the outbox",
    Permission.OUTBOX_DELIVER: "deliver the outbox",
    Permission.OUTBOX_RESOLVE: "settle what became of a message",
    Permission.TIMER_SET: "set what must happen later",
    Permission.POLLER_READ: "see which pollers live",
    Permission.CONSENT_READ: "see what patients consented to",
    Permission.CONSENT_RECORD: "record consent",
    Permission.NOTICE_READ: "see what is planned for patients",
    Permission.NOTICE_PLAN: "plan notices",
    Permission.TASK_READ: "see tasks",
    Permission.TASK_WORK: "work on tasks",
    Permission.PATIENT_READ: "read patients",
    Permission.PATIENT_LINK: "link patients",
    Permission.PATIENT_IMPORT: "import patients",
    Permission.TEMPLATE_READ: "read templates",
    Permission.TEMPLATE_WRITE: "write templates",
    Permission.TEMPLATE_APPROVE: "approve templates",
    Permission.PLAYBOOK_READ: "read the playbook",
    Permission.PLAYBOOK_APPLY: "change the playbook",
    Permission.PLAYBOOK_REHEARSE: "rehearse a playbook",
    Permission.STAFF_READ: "see accounts",
    Permission.STAFF_ROSTER: "say who works and how much",
    Permission.STAFF_MANAGE: "manage accounts",
    Permission.VENDOR_READ: "see vendors",
    Permission.VENDOR_MANAGE: "manage vendors",
    Permission.AUDIT_READ: "read the audit",
    Permission.AUDIT_VERIFY: "verify the audit",
    Permission.SESSION_OPEN: "sign others in",
}


class Role(StrEnum):
    """What a person does here; see domain.md."""

    AGENT = "agent"
    NURSE = "nurse"
    PHYSICIAN = "physician"
    COORDINATOR = "coordinator"
    SUPERVISOR = "supervisor"
    APPROVER = "approver"
    PRIVACY = "privacy"
    ADMIN = "admin"


_FRONT_LINE = frozenset(
    {
        Permission.LANE_READ,
        Permission.CONVERSATION_READ,
        Permission.CONVERSATION_WORK,
        Permission.MESSAGE_SEND,
        Permission.OUTBOX_READ,
        Permission.TIMER_SET,
        Permission.POLLER_READ,
        Permission.CONSENT_READ,
        Permission.CONSENT_RECORD,
        Permission.NOTICE_READ,
        Permission.NOTICE_PLAN,
        Permission.TASK_READ,
        Permission.TASK_WORK,
        Permission.PATIENT_READ,
        Permission.PATIENT_LINK,
        Permission.TEMPLATE_READ,
        Permission.PLAYBOOK_READ,
        Permission.STAFF_READ,
    }
)
_ADMIN = frozenset(
    {
        Permission.LANE_READ,
        Permission.MESSAGE_RECEIVE,
        Permission.OUTBOX_DELIVER,
        Permission.TIMER_SET,
        Permission.POLLER_READ,
        Permission.PATIENT_IMPORT,
        Permission.TEMPLATE_READ,
        Permission.TEMPLATE_WRITE,
        Permission.PLAYBOOK_READ,
        Permission.PLAYBOOK_APPLY,
        Permission.PLAYBOOK_REHEARSE,
        Permission.STAFF_READ,
        Permission.STAFF_ROSTER,
        Permission.STAFF_MANAGE,
        Permission.VENDOR_READ,
        Permission.VENDOR_MANAGE,
        Permission.AUDIT_VERIFY,
    }
)

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.AGENT: _FRONT_LINE,
    Role.NURSE: _FRONT_LINE | {Permission.DANGER_ACT, Permission.CONVERSATION_RELINK, Permission.TEMPLATE_WRITE},
    Role.PHYSICIAN: _FRONT_LINE | {Permission.DANGER_ACT},
    Role.COORDINATOR: _FRONT_LINE | {Permission.TEMPLATE_WRITE},
    Role.SUPERVISOR: _FRONT_LINE
    | {
        Permission.CONVERSATION_ASSIGN,
        Permission.CONVERSATION_RELINK,
        Permission.OUTBOX_RESOLVE,
        Permission.STAFF_ROSTER,
        Permission.VENDOR_READ,
        Permission.PLAYBOOK_REHEARSE,
        Permission.TEMPLATE_WRITE,
    },
    Role.APPROVER: frozenset({Permission.TEMPLATE_READ, Permission.TEMPLATE_APPROVE, Permission.PLAYBOOK_READ}),
    Role.PRIVACY: frozenset(
        {
            Permission.AUDIT_READ,
            Permission.AUDIT_VERIFY,
            Permission.VENDOR_READ,
            Permission.STAFF_READ,
            Permission.CONSENT_READ,
            Permission.CONSENT_RECORD,
        }
    ),
    Role.ADMIN: _ADMIN,
}
"""A role is nothing but this set; what is not listed is refused."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who is acting in a unit of work.

    `staff_id` 0 is the system itself (pollers, receivers). `lanes` are the lanes this person
    works; None means every lane that the person's roles may see. `epoch` is the account's when
    it signed in: what changes the account raises it, which ends the session (see guard.py).
    """

    staff_id: int
    name: str
    roles: frozenset[Role] = frozenset()
    lanes: frozenset[str] | None = None
    permissions: frozenset[Permission] = field(default=frozenset())
    epoch: int | None = None

    @classmethod
    def with_roles(
        cls,
        staff_id: int,
        name: str,
        roles: frozenset[Role],
        lanes: frozenset[str] | None = None,
        epoch: int | None = None,
    ) -> Actor:
        """An actor holding the union of its roles' permissions."""
        permissions = frozenset().union(*(PERMISSIONS[role] for role in roles))
        return cls(staff_id=staff_id, name=name, roles=roles, lanes=lanes, permissions=permissions, epoch=epoch)

    def may(self, permission: Permission) -> bool:
        """Whether a role of this actor holds `permission`."""
        return permission in self.permissions


SYSTEM = Actor(staff_id=0, name="system", permissions=frozenset(Permission))
"""The pollers and receivers: no person, so it owns nothing and answers nothing."""
