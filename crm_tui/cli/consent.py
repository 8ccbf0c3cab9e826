"""`crm consent`: what patients agreed to, what they asked for, and numbers about which somebody must decide."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.channels.consent.model import About, Decision, How
from crm_core.errors import UsageError
from crm_core.words import Channel
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.cli.texts import given_text
from crm_tui.ids import Kind, patient_id, read_id, show_id

if TYPE_CHECKING:
    from crm_core.channels.consent.deciding import HeldNumber
    from crm_core.channels.consent.model import ConsentEntry
    from crm_core.channels.consent.queries import ConsentCard
    from crm_core.work.units import ReadUnit

app = group("What patients agreed to and asked for, and numbers to decide about.")

Patient = Annotated[str, typer.Argument(metavar="P-…", help="The patient's id.")]
Evidence = Annotated[
    str | None, typer.Option("--evidence", metavar="TEXT", help="What it rests on; read from standard input without.")
]


class By(StrEnum):
    """Whose decision it is, as the command line says it."""

    PATIENT = "patient"
    PROXY = "proxy"
    STAFF = "staff"


@command(app, "show", example="crm consent show P-12")
def show(ctx: typer.Context, patient: Patient) -> None:
    """What stands, the patient's own order, what binds every sender, and every entry; looking is recorded."""
    show_card(Session.of(ctx), patient_id(patient))


@command(
    app,
    "record",
    example='crm consent record P-12 --channel sms --purpose outreach --granted --how phone --evidence "said so"',
)
def record(
    ctx: typer.Context,
    patient: Patient,
    *,
    channel: Annotated[Channel, typer.Option("--channel", help="The way it is about.")],
    purpose: Annotated[About, typer.Option("--purpose", help="What it is about.")],
    how: Annotated[How, typer.Option("--how", help="How it reached us.")],
    granted: Annotated[
        bool | None, typer.Option("--granted/--withdrawn", help="What was said.", show_default=False)
    ] = None,
    evidence: Evidence = None,
    by: Annotated[By, typer.Option("--by", help="Whose decision it is.")] = By.PATIENT,
    proxy: Annotated[
        int | None, typer.Option("--proxy", metavar="N", help="Which proxy, where the patient has several.")
    ] = None,
) -> None:
    """Write down what a patient said; the newest entry wins, and none is ever changed."""
    from crm_core.channels.consent import service

    if granted is None:
        raise UsageError(problem="What was said is missing", remedy="add --granted or --withdrawn")
    number, session = patient_id(patient), Session.of(ctx)
    words = given_text(evidence)
    with session.writing() as unit:
        service.record(
            unit,
            number,
            channel=channel,
            about=purpose,
            decision=Decision.GRANTED if granted else Decision.WITHDRAWN,
            how=how,
            evidence=words,
            proxy_id=_proxy(unit, number, proxy) if by is By.PROXY or proxy is not None else None,
            by_staff=by is By.STAFF,
        )
    show_card(session, number)


@command(app, "wording", example="crm consent wording plain_content --language es")
def wording(
    ctx: typer.Context,
    about: Annotated[About, typer.Argument(metavar="ABOUT", help="What it is about.")],
    language: Annotated[str | None, typer.Option("--language", metavar="CODE", help="en, es …")] = None,
) -> None:
    """What is shown or read out before a patient agrees, and its version."""
    from crm_core.channels.consent import queries

    session = Session.of(ctx)
    with session.reading() as unit:
        version, text, draft = queries.wording(unit, about, language)
    if text is None:
        raise UsageError(problem=f"The playbook has no wording about {about}", remedy="add it to consent.toml")
    session.show({"about": about, "version": version, "draft": draft, "text": text})
    if draft:
        session.say("These wordings are drafts: have your privacy officer read them, then say draft = false.")


@command(app, "confidential", example='crm consent confidential P-12 --only sms:+12125550147 --words "not at home"')
def confidential(
    ctx: typer.Context,
    patient: Patient,
    *,
    only: Annotated[
        str | None, typer.Option("--only", metavar="WAY", help="A channel, or one number on it: sms:+12125550147.")
    ] = None,
    words: Annotated[str | None, typer.Option("--words", metavar="TEXT", help="What the patient asked for.")] = None,
    begins: Annotated[str | None, typer.Option("--from", metavar="TIME", help="From when; now without it.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Until when; for good without.")] = None,
    end: Annotated[bool, typer.Option("--end", help="The patient may be reached any way again.")] = False,
) -> None:
    """Keep that a patient is to be reached one way only; it binds every sender, people too."""
    from crm_core.channels.consent import service
    from crm_core.patients.typed_contacts import own_point
    from crm_tui.cli.times import moment

    if (only is None) != end:
        raise UsageError(
            problem="Say either --only with a way, or --end", remedy="see `crm consent confidential --help`"
        )
    number, session = patient_id(patient), Session.of(ctx)
    if only is None:
        with session.writing() as unit:
            service.end_confidence(unit, number)
        show_card(session, number)
        return
    channel, typed = read_way(only)
    said = given_text(words)
    with session.writing() as unit:
        service.ask_for_confidence(
            unit,
            number,
            channel=channel,
            contact_point_id=own_point(unit, number, typed) if typed else None,
            words=said,
            from_at=moment(begins, unit.now) if begins else None,
            until_at=moment(until, unit.now) if until else None,
        )
    show_card(session, number)


@command(app, "held", example="crm consent held")
def held(ctx: typer.Context) -> None:
    """Numbers that may want no more messages: what is queued to them waits until somebody decides."""
    from crm_core.channels.consent import deciding

    session = Session.of(ctx)
    with session.reading() as unit:
        documents = [_held(one) for one in deciding.held_numbers(unit)]
    session.show(documents, empty="No number waits for a decision.")


@command(app, "decide", example='crm consent decide C-1042 --stop --evidence "called back, wants none"')
def decide(
    ctx: typer.Context,
    record: Annotated[str, typer.Argument(metavar="ID", help="The conversation (C-…) or the patient (P-…).")],
    *,
    stop: Annotated[
        bool | None,
        typer.Option("--stop/--keep", help="Opt the number out, or let what waits go on.", show_default=False),
    ] = None,
    evidence: Evidence = None,
) -> None:
    """Decide about a number that is held: no more messages, or what waits goes on through the contact gate."""
    from crm_core.channels.consent import deciding

    if stop is None:
        raise UsageError(problem="The decision is missing", remedy="add --stop or --keep")
    session = Session.of(ctx)
    kind, number = read_id(record, Kind.CONVERSATION, Kind.PATIENT)
    words = given_text(evidence) if stop else evidence or ""
    with session.writing() as unit:
        asked = [
            one
            for one in deciding.held_numbers(unit)
            if (number in one.patient_ids if kind is Kind.PATIENT else number == one.conversation_id)
        ]
        if len(asked) != 1:
            said = "Nobody has to decide about a number of" if not asked else "More than one number waits for"
            raise UsageError(problem=f"{said} {record}", remedy="see `crm consent held`, and name the conversation")
        (one,) = asked
        many = deciding.decide(unit, one.contact_point_id, stop=stop, evidence=words, observers=session.crm.observers)
    session.show({**_held(one), "decided": "stop" if stop else "keep", "messages": many})


def read_way(text: str) -> tuple[Channel, str | None]:
    """`sms`, or `sms:+12125550147`: the channel, and the number or address where one is named."""
    word, _, typed = text.partition(":")
    if word not in set(Channel):
        raise UsageError(problem=f"{word!r} is no channel", remedy=f"choose one of {', '.join(Channel)}")
    return Channel(word), typed.strip() or None


def _proxy(unit: ReadUnit, number: int, given: int | None) -> int:
    """The proxy who spoke: the one named, or the only one who may."""
    from crm_core.patients import proxies

    if given is not None:
        return given
    may = [one for one in proxies.proxies(unit, number) if one.may_speak]
    if len(may) != 1:
        raise UsageError(
            problem=f"{len(may)} proxies may speak for P-{number}", remedy="name one by --proxy; see `crm proxy list`"
        )
    return may[0].id


def show_card(session: Session, number: int) -> None:
    """Print a patient's card as it is now."""
    from crm_core.channels.consent import queries

    with session.reading() as unit:
        card = queries.card(unit, number)
    session.show(card_document(card))


def card_document(card: ConsentCard) -> dict[str, Any]:
    """The JSON form of a patient's card."""
    ends = {line.contact_point_id: line.ends for line in card.numbers}
    kinds = {line.contact_point_id: line.kind for line in card.numbers}
    asked = card.confidential
    return {
        "patient": show_id(Kind.PATIENT, card.patient_id),
        "standing": [
            {
                "channel": line.channel,
                "about": line.about,
                "state": line.state,
                "since": line.at,
                "entry": line.entry_id,
            }
            for line in card.standing
        ],
        "numbers": [
            {"kind": line.kind, "ends": line.ends, "opted_out_at": line.opted_out_at, "held_at": line.held_at}
            for line in card.numbers
        ],
        "prefers": list(card.preferred),
        "prefers_numbers": [ends[point] or kinds[point] for point in card.preferred_points if point in ends],
        "only": None
        if asked is None
        else {
            "channel": asked.channel,
            "ends": asked.ends,
            "from": asked.from_at,
            "until": asked.until_at,
            "words": asked.words,
        },
        "entries": [_entry(one) for one in card.entries],
    }


def _entry(one: ConsentEntry) -> dict[str, Any]:
    return {
        "entry": one.id,
        "at": one.at,
        "whose": "patient" if one.patient_id is not None else "number",
        "channel": one.channel,
        "about": one.about,
        "decision": one.decision,
        "said_by": one.said_by,
        "how": one.how,
        "wording": one.wording_version,
        "message": f"M-{one.message_id}" if one.message_id else None,
        "evidence": one.evidence,
    }


def _held(one: HeldNumber) -> dict[str, Any]:
    return {
        "ends": one.ends,
        "held_at": one.held_at,
        "patients": [show_id(Kind.PATIENT, number) for number in one.patient_ids],
        "conversation": show_id(Kind.CONVERSATION, one.conversation_id),
        "waiting": one.waiting,
    }
