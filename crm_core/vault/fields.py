"""The permanent numbers of sealed fields.

A number is part of every ciphertext's associated data: it is never reused and never changes.
The hundreds name the kind of record, so that an opening can be audited by kind and row id.
"""

from __future__ import annotations

from enum import IntEnum


class Field(IntEnum):
    """One number for each sealed column."""

    PATIENT_FAMILY = 101
    PATIENT_GIVEN = 102
    PATIENT_BIRTH_DATE = 103
    PATIENT_ADDRESS = 104
    IDENTIFIER_VALUE = 111
    CONTACT_VALUE = 121
    MESSAGE_BODY = 301
    MESSAGE_RAW = 302
    MESSAGE_SUBJECT = 303
    MESSAGE_SENDER = 304
    MESSAGE_LETTER_ID = 305
    MESSAGE_REFERENCES = 306
    MESSAGE_CHOICE = 307
    NOTE_BODY = 311
    DRAFT_BODY = 312
    ROUTE_TRACE = 321
    NEXT_ACTION = 322
    STEP_TEXT = 323
    HANDOVER_WORDS = 324
    COMPLAINT_WORDS = 325
    TASK_TITLE = 331
    TASK_DETAILS = 332
    TASK_FILLED = 333
    TASK_OUTCOME = 334
    VIEW_NAME = 341
    VIEW_FILTER = 342
    ATTACHMENT_NAME = 351
    ATTACHMENT_BYTES = 352
    INCOMING_PAYLOAD = 361
    CONSENT_EVIDENCE = 371
    CONFIDENTIAL_WORDS = 381
    PROXY_NAME = 391
    PROXY_WORDS = 392
    NOTICE_FIELDS = 401
    RING_NUMBER = 411

    @property
    def kind(self) -> str:
        """The record that an opening of this field shows, as the audit names it."""
        return _KINDS[self // 10]


_KINDS = {
    10: "patient",
    11: "patient_identifier",
    12: "contact_point",
    30: "message",
    31: "note",
    32: "conversation",
    33: "task",
    34: "saved_view",
    35: "attachment",
    36: "incoming",
    37: "consent",
    38: "confidential_request",
    39: "proxy",
    40: "notice",
    41: "ring",
}
