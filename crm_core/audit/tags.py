"""What an audit row can say was done: `subject:thing:verb`, a closed list."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    DENIED = "denied"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


class Tag(StrEnum):
    """One thing that is audited. A word, once stored, keeps its meaning for ever."""

    STAFF_CREATED = "staff:account:created"
    STAFF_DISABLED = "staff:account:disabled"
    STAFF_ENABLED = "staff:account:enabled"
    STAFF_ROLES_SET = "staff:roles:set"
    STAFF_LANES_SET = "staff:lanes:set"
    STAFF_PASSWORD_SET = "staff:password:set"  # noqa: S105 - a word, no secret
    STAFF_OS_USER_MAPPED = "staff:os_user:mapped"
    STAFF_OS_USER_UNMAPPED = "staff:os_user:unmapped"
    SESSION_SIGNED_IN = "staff:session:signed_in"
    SESSION_REFUSED = "staff:session:refused"
    SESSION_LOCKED = "staff:session:locked"
    SESSION_UNLOCKED = "staff:session:unlocked"
    SESSION_ENDED = "staff:session:ended"
    CALL_DENIED = "access:call:denied"

    PATIENT_OPENED = "patient:record:opened"
    PATIENT_IMPORTED = "patient:record:imported"
    PATIENT_CREATED = "patient:record:created"
    PATIENT_CHANGED = "patient:record:changed"
    PATIENT_DECEASED = "patient:record:deceased"
    PATIENT_VERIFIED = "patient:identity:verified"
    CONTACT_OPENED = "patient:contact:opened"
    CONTACT_LINKED = "patient:contact:linked"
    CONTACT_UNLINKED = "patient:contact:unlinked"
    NUMBER_OPTED_OUT = "contact:number:opted_out"
    NUMBER_OPTED_IN = "contact:number:opted_in"
    NUMBER_HELD = "contact:number:held"
    NUMBER_INVALID = "contact:number:found_invalid"

    MESSAGE_RECEIVED = "message:inbound:received"
    MESSAGE_OPENED = "message:body:opened"
    MESSAGE_QUEUED = "message:outbound:queued"
    MESSAGE_SENDING = "message:outbound:sending"
    MESSAGE_SENT = "message:outbound:sent"
    MESSAGE_FAILED = "message:outbound:failed"
    MESSAGE_UNKNOWN = "message:outbound:unknown"
    MESSAGE_EXPIRED = "message:outbound:expired"
    MESSAGE_SUPPRESSED = "message:outbound:suppressed"
    MESSAGE_TAKEN_BACK = "message:outbound:taken_back"
    OUTBOX_RESOLVED = "outbox:row:resolved"
    NOTE_OPENED = "conversation:note:opened"

    CONVERSATION_OPENED = "conversation:record:opened"
    CONVERSATION_CREATED = "conversation:record:created"
    CONVERSATION_ROUTED = "conversation:record:routed"
    CONVERSATION_TAKEN = "conversation:work:taken"
    CONVERSATION_SKIPPED = "conversation:work:skipped"
    CONVERSATION_CLAIMED = "conversation:work:claimed"
    CONVERSATION_RELEASED = "conversation:work:released"
    CONVERSATION_ASSIGNED = "conversation:work:assigned"
    CONVERSATION_MOVED = "conversation:work:moved"
    CONVERSATION_ESCALATED = "conversation:work:escalated"
    CONVERSATION_REPLIED = "conversation:work:replied"
    CONVERSATION_RECEIVED = "conversation:message:received"
    CONVERSATION_SNOOZED = "conversation:work:snoozed"
    CONVERSATION_WOKEN = "conversation:work:woken"
    CONVERSATION_WAITING = "conversation:work:waiting"
    CONVERSATION_CLOSED = "conversation:work:closed"
    CONVERSATION_REOPENED = "conversation:work:reopened"
    CONVERSATION_NOTED = "conversation:work:noted"
    CONVERSATION_CALLED = "conversation:work:called"
    CONVERSATION_LINKED = "conversation:work:linked"
    CONVERSATION_UNDONE = "conversation:work:undone"
    CONVERSATION_MERGED = "conversation:thread:merged"
    CONVERSATION_SPLIT = "conversation:thread:split"
    CONVERSATION_RELINKED = "conversation:patient:relinked"
    CONVERSATION_OFFERED = "conversation:handover:offered"
    CONVERSATION_ACCEPTED = "conversation:handover:accepted"
    CONVERSATION_SCHEDULED = "conversation:work:scheduled"
    CONVERSATION_RECLASSIFIED = "conversation:work:reclassified"
    CLOCK_WARNED = "conversation:clock:warned"
    CLOCK_BREACHED = "conversation:clock:breached"
    CONVERSATION_ALARMED = "conversation:alarm:raised"
    CONVERSATION_ACKNOWLEDGED = "conversation:alarm:acknowledged"

    LIST_SHOWN = "list:records:shown"

    TEMPLATE_DRAFTED = "template:version:drafted"
    TEMPLATE_SUBMITTED = "template:version:submitted"
    TEMPLATE_APPROVED = "template:version:approved"
    TEMPLATE_RETIRED = "template:version:retired"
    PLAYBOOK_APPLIED = "playbook:version:applied"
    VENDOR_ADDED = "vendor:agreement:added"
    VENDOR_CHANGED = "vendor:agreement:changed"
    VENDOR_ENDED = "vendor:agreement:ended"

    STORE_INITIALISED = "store:home:initialised"
    STORE_MIGRATED = "store:schema:migrated"
    IMPORT_STARTED = "import:batch:started"
    IMPORT_FINISHED = "import:batch:finished"
    KEYS_REWRAPPED = "store:keys:rewrapped"
    KEYS_RECOVERED = "store:keys:recovered"
    CHAIN_VERIFIED = "audit:chain:verified"
    CHECKPOINT_MADE = "audit:checkpoint:made"
    AUDIT_SHOWN = "audit:records:shown"

    @property
    def subject(self) -> str:
        """The kind of record the ids mean, unless an entry says another."""
        return self.value.partition(":")[0]
