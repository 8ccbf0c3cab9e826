"""The gate's questions that bind every sender, in the order in which they are asked. Pure.

Each step answers with its reason, or None where it has nothing to ask of this candidate. The first
refusal ends the asking, since later steps build on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from crm_core.channels.contact_section import Needs
from crm_core.channels.contents import what_does_not_belong
from crm_core.channels.gate.model import Candidate, Known
from crm_core.channels.model import HELD, Reason
from crm_core.words import Channel

Step = Callable[[Candidate, Known], Reason | None]


def yes(check: str, saw: str) -> Reason:
    """A step that lets it pass."""
    return Reason(check=check, passed=True, saw=saw)


def no(check: str, saw: str) -> Reason:
    """A step that does not."""
    return Reason(check=check, passed=False, saw=saw)


def gateway(candidate: Candidate, known: Known) -> Reason:
    """Whether the channel has a gateway; a call is made by a person."""
    if candidate.channel is Channel.VOICE:
        return yes("gateway", "a person calls")
    if known.carrier is None:
        return no("gateway", f"none is set up for {candidate.channel}")
    return yes("gateway", known.carrier.name)


def agreement(candidate: Candidate, known: Known) -> Reason | None:
    """Whether the vendor who carries it has a BAA in date."""
    carrier = known.carrier
    if candidate.channel is Channel.VOICE:
        return None
    assert carrier is not None
    if not carrier.real:
        return yes("agreement", "stays in this house")
    if carrier.until is None:
        return no("agreement", f"vendor {carrier.vendor} has no BAA in date for {candidate.channel}")
    return yes("agreement", f"BAA until {carrier.until.isoformat()}")


def recipient(_: Candidate, known: Known) -> Reason | None:
    """Whether there is anywhere to send it."""
    return no("recipient", "no number or address to send to") if known.point is None else None


def patient(candidate: Candidate, known: Known) -> Reason | None:
    """Whether it is for a patient, alive and with us."""
    if candidate.to_the_number_itself:
        return None
    if known.person is None:
        return no("patient", "the sender is not linked to a patient")
    if known.person.deceased:
        return no("patient", "deceased")
    return yes("patient", "linked") if known.person.active else no("patient", "not a patient here any more")


def whose(candidate: Candidate, known: Known) -> Reason | None:
    """Whether the number is that patient's: nothing falls back to another person's, but a proxy who receives."""
    if candidate.to_the_number_itself or known.on_record:
        return None
    if known.by_proxy:
        return yes("whose", "a proxy's, who may receive for the patient")
    return no("whose", "this number is not on the patient's record")


def shared(candidate: Candidate, known: Known) -> Reason | None:
    """Whether a text to a number that several use says which of them is meant."""
    if candidate.to_the_number_itself or known.shared_by < 2:  # noqa: PLR2004 - one person is not sharing
        return None
    if candidate.channel is Channel.VOICE:
        return yes("shared", f"shared by {known.shared_by}, and who calls asks for the patient")
    if not _names(candidate.text, candidate.first_name):
        return no("shared", f"shared by {known.shared_by}, and the text does not name the patient")
    if known.namesake:
        return no("shared", "two who share it have that first name; call instead")
    return yes("shared", f"shared by {known.shared_by}, and the text names the patient")


def number(_: Candidate, known: Known) -> Reason:
    """Whether the number takes messages at all."""
    assert known.point is not None
    return no("number", "marked invalid") if known.point.invalid else yes("number", "not known to be invalid")


def opt_out(candidate: Candidate, known: Known) -> Reason:
    """Whether the number wants messages."""
    assert known.point is not None
    if candidate.to_the_number_itself:
        return yes("opt-out", "answers what the number itself texted")
    if candidate.channel is Channel.VOICE:
        return yes("opt-out", "a call is no message")
    if known.point.opted_out:
        return no("opt-out", "opted out")
    return yes("opt-out", "not opted out")


def held(candidate: Candidate, known: Known) -> Reason | None:
    """Whether staff have decided about a number that may want no more; a person's answer goes there meanwhile."""
    assert known.point is not None
    if not known.point.held or candidate.to_the_number_itself or candidate.channel is Channel.VOICE:
        return None
    if candidate.automatic:
        return no(HELD, "may want no more: held until staff decide")
    return yes(HELD, "may want no more; a person writes")


def confidential(candidate: Candidate, known: Known) -> Reason | None:
    """Whether the patient asked to be reached another way only; that binds a person, too."""
    request = known.confidential
    if request is None or candidate.to_the_number_itself:
        return None
    if request.allows(candidate.channel, candidate.contact_point_id):
        return yes("confidential", "the way that the patient asked for")
    return no("confidential", f"the patient asked to be reached by {request.channel} only, at one address or number")


def consent(candidate: Candidate, known: Known) -> Reason | None:
    """Whether the patient's word covers this purpose on this channel."""
    if candidate.to_the_number_itself:
        return None
    what = f"{candidate.purpose} by {candidate.channel}"
    said = known.standing
    since = f" on {said.at.astimezone(known.zone).date().isoformat()}" if said.at is not None else ""
    if said.withdrawn:
        return no("consent", f"{what} was withdrawn{since}")
    if said.granted:
        return yes("consent", f"{what} was granted{since}")
    if known.rules.purpose.needs(candidate.purpose) is Needs.GRANT:
        return no("consent", f"{what} needs a yes, and there is none")
    return yes("consent", f"{what} needs no yes, and nobody said no")


def content(candidate: Candidate, _: Known) -> Reason:
    """Whether anything stands in it that never belongs in a message."""
    unfit = what_does_not_belong(candidate.text) or what_does_not_belong(candidate.subject or "", "the subject")
    return no("content", unfit) if unfit else yes("content", "nothing that does not belong in a message")


def template(_: Candidate, known: Known) -> Reason | None:
    """Whether its template may still be sent; asked after the higher rooms' checks."""
    if known.template is None:
        return None
    if not known.template.approved:
        return no("template", "its template is not approved any more")
    if known.template.past_review:
        return no("template", "its template is past its review date")
    return yes("template", "approved, and within its review date")


BINDING: Sequence[Step] = (
    gateway, agreement, recipient, patient, whose, shared, number, opt_out, held, confidential, consent, content,
)  # fmt: skip


def _names(text: str, name: str | None) -> bool:
    """Whether `name` stands in the text as a word of its own: "Al" is not in "also"."""
    return name is not None and re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", text.casefold()) is not None
