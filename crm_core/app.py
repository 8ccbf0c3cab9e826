"""The composition root: the one place that wires the rooms together."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Self

from crm_core.access.guard import check_active
from crm_core.access.model import SYSTEM, Actor
from crm_core.audit.chain import Ledger
from crm_core.channels.agreements import AgreementsChore
from crm_core.channels.delivery import Courier
from crm_core.channels.gate import Gate
from crm_core.channels.gateways import build_gateways
from crm_core.channels.inbound import Receiver
from crm_core.channels.incoming.chore import IncomingChore
from crm_core.channels.incoming.handling import IncomingHandler
from crm_core.channels.notices.firing import NoticeHandler
from crm_core.channels.notices.observing import ContactFollower, NoticeSendObserver
from crm_core.channels.optout import KeywordHandler
from crm_core.channels.outbox_chore import OutboxChore
from crm_core.channels.person_changes import StopsContact
from crm_core.channels.prompts.expiring import PromptExpiry
from crm_core.channels.prompts.replies import PromptHandler
from crm_core.channels.screening import screen_inbound
from crm_core.channels.unsubscribing import UnsubscribeHandler
from crm_core.clock import Clock, SystemClock
from crm_core.errors import StoreMissing
from crm_core.inbox.answering.deliveries import InboxSendObserver
from crm_core.inbox.answering.health_detail import HealthDetail
from crm_core.inbox.answering.still_meant import still_meant
from crm_core.inbox.arrivals import InboxThreads
from crm_core.inbox.playbook.template_codes import template_codes
from crm_core.inbox.routing.facts import ROUTING_FACTS
from crm_core.inbox.tasks import inbox_in_sight
from crm_core.inbox.timing.chore import ClocksChore
from crm_core.inbox.timing.counting import recount_open
from crm_core.library.applying import import_from_playbook
from crm_core.library.checking import CODES
from crm_core.patients.observers import PATIENT_OBSERVERS
from crm_core.playbook.loader import load
from crm_core.playbook.service import apply
from crm_core.playbook.shipped import shipped
from crm_core.sections import SECTIONS
from crm_core.settings import KeySource, Settings
from crm_core.store.engines import Store, open_store
from crm_core.store.keys import StoredKeys
from crm_core.store.schema import check, migrate
from crm_core.tasks.scope import IN_SIGHT
from crm_core.timers.anchoring import AnchorChore
from crm_core.timers.chore import TimersChore
from crm_core.timers.model import Chore, TimerHandler
from crm_core.twilio_settings import TwilioTable
from crm_core.vault import file_key
from crm_core.vault.keys import Key, KeyFileProvider, KeyProvider, KeyringProvider
from crm_core.vault.vault import Vault
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, Units, WriteUnit


class Crm:
    """An opened store with everything that works on it. Close it, or use it as a context."""

    def __init__(self, settings: Settings, clock: Clock, store: Store, vault: Vault) -> None:
        self.settings = settings
        self.clock = clock
        self.store = store
        self.vault = vault
        self.ledger = Ledger(vault, store.writing)
        self.units = Units(store=store, vault=vault, ledger=self.ledger, clock=clock, guard=check_active)
        self.units.shared["playbook.sections"] = SECTIONS
        self.units.shared[IN_SIGHT] = inbox_in_sight
        self.units.shared["playbook.appliers"] = (import_from_playbook, recount_open)
        self.units.shared[ROUTING_FACTS] = ()  # appointments and referrals, once those rooms exist
        self.units.shared[CODES] = template_codes
        self.gate = Gate(gateways=build_gateways(settings), checks=(HealthDetail(), still_meant))
        self.observers = (InboxSendObserver(), NoticeSendObserver())
        self.units.shared[PATIENT_OBSERVERS] = (StopsContact(observers=self.observers), ContactFollower())
        keywords = KeywordHandler(self.gate, self.observers)
        # Opt-outs, pending prompts, an open survey once there are surveys; the threads take the rest.
        handlers = (keywords, UnsubscribeHandler(), PromptHandler(self.gate))
        self.receiver = Receiver(screen=screen_inbound, handlers=handlers, threads=InboxThreads())
        self.courier = Courier(units=self.units, gate=self.gate, observers=self.observers)
        incoming = IncomingHandler(self.receiver, self.observers)
        self.timer_handlers: list[TimerHandler] = [incoming, NoticeHandler(self.gate), PromptExpiry()]
        self.chores: list[Chore] = [
            ClocksChore(self.units),
            *self._mail_chores(),
            *self._text_chores(),
            IncomingChore(self.units, incoming),
            TimersChore(self.units, self.timer_handlers),
            OutboxChore(self.courier),
            AnchorChore(self.units, settings.anchor),
            AgreementsChore(self.units),
        ]
        """What pollers do, in the order of `crm poll --once`: what may set off more stands before it."""

    def _mail_chores(self) -> list[Chore]:
        """One for each mailbox of crm.toml; a home without any does not pay for the library's import."""
        if not self.settings.mailboxes:
            return []
        from crm_core.channels.mail.chore import MailChore
        from crm_core.channels.mail.handing_in import hand_in

        boxes = sorted(self.settings.mailboxes.items())
        take = partial(hand_in, observers=self.observers)
        return [MailChore(self.units, name, table, take) for name, table in boxes]

    def _text_chores(self) -> list[Chore]:
        """One for all Twilio accounts of crm.toml; a home without any does not pay for httpx."""
        tables = {Channel(name): one for name, one in self.settings.gateways.items() if isinstance(one, TwilioTable)}
        if not tables:
            return []
        from crm_core.channels.gateways.texts import TextsChore

        return [TextsChore(self.units, tables, self.observers)]

    def read(self, actor: Actor) -> ReadUnit:
        """A unit that reads: `with crm.read(actor) as unit:`."""
        return self.units.read(actor)

    def write(self, actor: Actor) -> WriteUnit:
        """A unit that writes: `with crm.write(actor) as unit:`."""
        return self.units.write(actor)

    def close(self) -> None:
        """End threads, leases and connections."""
        for chore in self.chores:
            with suppress(Exception):
                chore.close()
        self.ledger.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def key_provider(settings: Settings) -> KeyProvider:
    """Where this home's master key lives."""
    if settings.key_source is KeySource.FILE:
        return KeyFileProvider(settings.key_file)
    return KeyringProvider("crm", str(settings.home))


def found(settings: Settings, master: Key, clock: Clock | None = None) -> Crm:
    """Make a new store under `master`: schema, keys, and the settings' playbook applied as version 1.

    The playbook is checked first, so that one with mistakes leaves nothing behind.
    """
    clock = clock or SystemClock()
    playbook = load(shipped(settings.playbook), SECTIONS)
    store = _store(settings, master, new=True)
    try:
        migrate(store)
        crm = Crm(settings, clock, store, Vault.create(StoredKeys(store.writing), master, clock))
        with crm.write(SYSTEM) as unit:
            apply(unit, playbook)
    except BaseException:
        store.close()
        raise
    return crm


def open_crm(
    settings: Settings, *, master: Key | None = None, clock: Clock | None = None, signing: bool = False
) -> Crm:
    """Open a store that `found` made. `signing` for pollers and `crm audit`, which make checkpoints.

    Raises StoreMissing, WrongKey, and what a key provider says of a key that is not there.
    """
    if settings.database is not None and not settings.database.is_file():
        raise StoreMissing(home=settings.home)
    master = master or key_provider(settings).read()
    store = _store(settings, master, new=False)
    try:
        check(store)
        vault = Vault.open_existing(StoredKeys(store.reading), master, signing=signing)
        return Crm(settings, clock or SystemClock(), store, vault)
    except BaseException:
        store.close()
        raise


def upgrade(settings: Settings, *, master: Key | None = None) -> str | None:
    """Bring the store's schema to this version's, for `crm doctor --fix`; returns what it was at before."""
    store = _store(settings, master or key_provider(settings).read(), new=False)
    try:
        return migrate(store)
    finally:
        store.close()


def _store(settings: Settings, master: Key, *, new: bool) -> Store:
    database = settings.database
    if database is None:
        return open_store(settings.store_url, None)
    path = database.with_name(database.name + ".key")
    key = file_key.create(path, master) if new else file_key.read(path, master)
    return open_store(settings.store_url, key)
