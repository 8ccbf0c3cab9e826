"""What is done about a patient's consent from their record: each asks one thing after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from crm_tui.desk.consent import About, Channel, Decision, How, Relation
from crm_tui.desk.patients import ContactKind, ContactView, PatientCard
from crm_tui.ids import Kind, show_id
from crm_tui.screens.ask_text import AskText
from crm_tui.screens.consent_rows import proxy_line
from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.terminal import one_line
from crm_tui.widgets.choice import Choice, Pick, Picked
from crm_tui.widgets.confirm import Confirm

_WRITES = (Channel.SMS, Channel.EMAIL, Channel.WHATSAPP, Channel.VOICE, Channel.PORTAL)
"""The ways by which a patient is reached."""

_REACHED_BY = {ContactKind.PHONE: (Channel.SMS, Channel.WHATSAPP, Channel.VOICE), ContactKind.EMAIL: (Channel.EMAIL,)}

_MAY = {
    "speaks": ("Speaks for the patient", True, False),
    "receives": ("Receives for the patient", False, True),
    "both": ("Speaks and receives", True, True),
}


class Consenting(ConsoleScreen):
    """A patient's record, as far as it takes down what the patient says."""

    @property
    def open_card(self) -> PatientCard | None:
        """The record in view, once it is there."""
        return None

    def do_record_consent(self) -> None:
        """Channel, subject, what was said, how; then the words it rests on."""
        card = self._consents()
        if card is None:
            return

        def ask_about(way: Picked) -> None:
            picks = [Pick(id=one, name=_said(one)) for one in About]
            self._ask(f"{way.id}: about what?", picks, lambda about: ask_decision(Channel(way.id), About(about.id)))

        def ask_decision(channel: Channel, about: About) -> None:
            picks = [
                Pick(id=f"{decision}:{how}", name=f"{_said(decision)} {_said(how)}", needs_text=True)
                for decision in Decision
                for how in (How.PHONE, How.IN_PERSON, How.FORM, How.TEXT)
            ]
            title = f"{channel} · {_said(about)}: what did the patient say?"
            hint = "enter takes, then say what it rests on · esc back"
            self._ask(title, picks, lambda said: self._ask_what_was_shown(card, channel, about, said), hint=hint)

        self._ask("Consent: by which way?", _picks(_WRITES), ask_about)

    def _ask_what_was_shown(self, card: PatientCard, channel: Channel, about: About, said: Picked) -> None:
        """Who agrees has heard or read the wording first: it is shown in whole, and asked."""
        word, _, way = said.id.partition(":")
        decision, how = Decision(word), How(way)
        who, language = card.patient.patient_id, card.patient.language

        def record() -> None:
            self.write(
                lambda: self.session.consent.record(who, channel, about, decision=decision, how=how, words=said.text),
                lambda _: self._kept(f"In the ledger: {channel} {_said(about)} {decision}"),
            )

        def answered(yes: bool | None) -> None:
            if yes:
                record()

        def shown(words: str | None) -> None:
            if words is None:
                record()
                return
            self.app.push_screen(Confirm("Was this read out, or handed over?", words, yes="It was"), answered)

        if decision is Decision.GRANTED and how is not How.TEXT:
            self.read("wording", lambda: self.session.consent.wording(about, language), shown)
        else:
            record()

    def do_only_way(self) -> None:
        """Which way, with the patient's own words; or any way again."""
        card = self._consents()
        if card is None or card.consents is None:
            return
        who = card.patient.patient_id
        picks = [Pick(id=channel, name=f"Only by {channel}", needs_text=True) for channel in _WRITES]
        picks += [
            Pick(id=f"{channel}:{one.contact_point_id}", name=f"Only by {channel}, {_at(one)}", needs_text=True)
            for one in card.patient.contacts
            for channel in _REACHED_BY[one.kind]
        ]
        if card.consents.card.confidential is not None:
            picks.insert(0, Pick(id="any", name="Any way again", hint="the request ends"))

        def answered(picked: Picked) -> None:
            if picked.id == "any":
                self.write(lambda: self.session.consent.any_way(who), lambda _: self._kept("Any way again"))
                return
            channel, _, point = picked.id.partition(":")
            self.write(
                lambda: self.session.consent.only(who, Channel(channel), int(point) if point else None, picked.text),
                lambda _: self._kept(f"Only by {channel} from now on; it binds everybody"),
            )

        hint = "enter takes, then say it in the patient's words · esc back"
        self._ask("Which way does the patient ask to be reached?", picks, answered, hint=hint)

    def do_prefer(self) -> None:
        """The first choice, then the next, until the patient has no more."""
        card = self._consents()
        if card is not None:
            self._ask_next(card, ())

    def _ask_next(self, card: PatientCard, chosen: tuple[str, ...]) -> None:
        ways = {channel.value: channel.value for channel in _WRITES}
        ways |= {f"at:{one.contact_point_id}": _at(one) for one in card.patient.contacts}
        picks = [Pick(id=key, name=name) for key, name in ways.items() if key not in chosen]
        picks.insert(0, Pick(id="", name="That is all" if chosen else "No preference"))

        def answered(picked: Picked) -> None:
            if picked.id:
                self._ask_next(card, (*chosen, picked.id))
                return
            channels = tuple(Channel(one) for one in chosen if not one.startswith("at:"))
            points = tuple(int(one.removeprefix("at:")) for one in chosen if one.startswith("at:"))
            who = card.patient.patient_id
            self.write(
                lambda: self.session.consent.prefer(who, channels, points),
                lambda _: self._kept(f"The patient prefers {said or 'nothing in particular'}"),
            )

        said = ", ".join(ways[key] for key in chosen)
        title = f"And after {said}?" if chosen else "Which way first?"
        self._ask(title, picks, answered)

    def do_add_proxy(self) -> None:
        """What they are to the patient with their name, what they may, and their number."""
        card = self._consents()
        if card is None:
            return
        who = card.patient.patient_id

        def named(picked: Picked) -> None:
            relation, name = Relation(picked.id), picked.text
            may = [Pick(id=key, name=title) for key, (title, _, _) in _MAY.items()]
            self._ask(f"{name}: what may they do?", may, lambda may: self._ask_number(who, name, relation, may.id))

        picks = [Pick(id=one, name=_said(one), needs_text=True) for one in Relation]
        self._ask("Who are they to the patient?", picks, named, hint="enter takes, then their name · esc back")

    def _ask_number(self, who: int, name: str, relation: Relation, may: str) -> None:
        _, speaks, receives = _MAY[may]

        def numbered(number: str | None) -> None:
            if number is None:
                return
            self.write(
                lambda: self.session.consent.add_proxy(who, name, relation, number, speaks=speaks, receives=receives),
                lambda _: self._kept(f"{name} {may}"),
            )

        self.app.push_screen(AskText(f"{name}'s number or address", "with its area code"), numbered)

    def do_end_proxy(self) -> None:
        """Which of them."""
        card = self._consents()
        if card is None or card.consents is None:
            return
        if not card.consents.proxies:
            self.flash("Nobody speaks for this patient.", "warning")
            return
        who = card.patient.patient_id
        picks = [Pick(id=str(one.id), name=proxy_line(one)) for one in card.consents.proxies]
        self._ask(
            "Who speaks and receives no more?",
            picks,
            lambda picked: self.write(
                lambda: self.session.consent.end_proxy(who, int(picked.id)), lambda _: self._kept("Ended")
            ),
        )

    def do_patient_died(self) -> None:
        """Ask, since what it cancels does not come back."""
        card = self._consents()
        if card is None:
            return
        if card.patient.deceased:
            self.flash("That is known already; nothing is sent.", "warning")
            return
        who = card.patient.patient_id

        def answered(yes: bool | None) -> None:
            if yes:
                said = "Kept: nothing more is sent to this patient, nor to anybody else instead"
                self.write(lambda: self.session.consent.died(who), lambda _: self._kept(said))

        question = "All that is queued, held, planned or to be called is cancelled at once, and does not come back."
        self.app.push_screen(Confirm(f"Has {show_id(Kind.PATIENT, who)} died?", question), answered)

    def _consents(self) -> PatientCard | None:
        if self.console.masked:
            self.flash("Identities are masked: f2 shows them first.", "warning")
            return None
        return self.open_card

    def _ask(
        self,
        title: str,
        picks: Sequence[Pick],
        then: Callable[[Picked], None],
        *,
        hint: str = "type to narrow · enter takes · esc back",
    ) -> None:
        def answered(picked: Picked | None) -> None:
            if picked is not None:
                then(picked)

        self.app.push_screen(Choice(title, picks, hint=hint), answered)

    def _kept(self, said: str) -> None:
        self.flash(said)
        self.look_again()


def _at(one: ContactView) -> str:
    return f"at ···{one.last_four}" if one.last_four else f"at {one_line(one.value)}"


def _picks(channels: Iterable[Channel]) -> list[Pick]:
    return [Pick(id=channel.value, name=channel.value) for channel in channels]


def _said(word: str) -> str:
    return str(word).replace("_", " ")
