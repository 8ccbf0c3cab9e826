"""The commands of consent: what a patient said, how they want to be reached, who speaks for them, that they died."""

from __future__ import annotations

from crm_tui.command import Command, Group

_RECORD = "consent:record"

CONSENT_COMMANDS: tuple[Command, ...] = (
    Command(
        id="record_consent",
        keys=(),
        label="consent",
        title="Record consent",
        group=Group.ACT,
        help="Write down what the patient agreed to or took back, how it was said, and what it rests on.",
        permission=_RECORD,
    ),
    Command(
        id="only_way",
        keys=(),
        label="only by",
        title="Reach by one way only",
        group=Group.ACT,
        help="Keep that the patient asked to be reached one way only; it binds everybody who writes.",
        permission=_RECORD,
    ),
    Command(
        id="prefer",
        keys=(),
        label="prefers",
        title="How to be reached",
        group=Group.ACT,
        help="Keep which way the patient wants to be reached first, and which next.",
        permission=_RECORD,
    ),
    Command(
        id="add_proxy",
        keys=(),
        label="add proxy",
        title="Add a proxy",
        group=Group.ACT,
        help="Keep who may speak for the patient, or receive what is for them.",
        permission=_RECORD,
    ),
    Command(
        id="end_proxy",
        keys=(),
        label="end proxy",
        title="End a proxy",
        group=Group.ACT,
        help="From now on they may neither speak for the patient nor receive for them.",
        permission=_RECORD,
    ),
    Command(
        id="patient_died",
        keys=(),
        label="died",
        title="Patient has died",
        group=Group.ACT,
        help="Cancel at once all that was to reach the patient; nothing goes to anybody else instead.",
        permission=_RECORD,
        dangerous=True,
    ),
    Command(
        id="decide_number",
        keys=(),
        label="decide",
        title="Decide about a held number",
        group=Group.ACT,
        help="Somebody may have asked for no more texts: stop them, or let what waits go on.",
        permission=_RECORD,
        dangerous=True,
    ),
)
