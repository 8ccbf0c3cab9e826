"""From a draft to what is stored of it: normal forms and blind tokens. Nothing is looked up here."""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.patients.contacts import NormalContact, normal
from crm_core.patients.identifiers import is_kept
from crm_core.patients.model import ContactKind, ContactUse, PatientDraft
from crm_core.patients.tables import LONGEST_SYSTEM
from crm_core.vault.tokens import TokenKind, name_words
from crm_core.vault.vault import Vault

LOW_16 = 0xFFFF


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PreparedContact:
    """A contact point with its tokens."""

    normal: NormalContact
    token: int
    last_four_token: int | None
    use: ContactUse
    rank: int

    @property
    def key(self) -> tuple[ContactKind, int]:
        """What makes the contact point one row."""
        return self.normal.kind, self.token

    @property
    def tokens(self) -> tuple[int, ...]:
        """What a patient is found by through this contact point."""
        return (self.token,) if self.last_four_token is None else (self.token, self.last_four_token)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PreparedIdentifier:
    """An identifier with its token. One without a system, or an old one, does not identify."""

    system: str
    kind: str
    value: str
    token: int
    old: bool

    @property
    def key(self) -> tuple[str, int]:
        """What is unique in the store."""
        return self.system, self.token

    @property
    def identifies(self) -> bool:
        """Whether an incoming record with this number is about the patient who has it."""
        return bool(self.system) and not self.old


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Prepared:
    """All that is stored and indexed of one draft."""

    draft: PatientDraft
    family_mark: int | None
    birth_mark: int | None
    identifiers: tuple[PreparedIdentifier, ...]
    contacts: tuple[PreparedContact, ...]
    tokens: frozenset[int]

    def is_other_person_than(self, family_mark: int | None, birth_mark: int | None) -> bool:
        """Whether both family name and birth date are known to differ."""
        known = None not in (self.family_mark, family_mark, self.birth_mark, birth_mark)
        return known and self.family_mark != family_mark and self.birth_mark != birth_mark


def prepare(vault: Vault, draft: PatientDraft, region: str) -> Prepared:
    """Normalise and tokenise `draft`; `region` is where numbers without a country code belong."""
    family, given = draft.names
    identifiers = {
        identifier.key: identifier
        for item in draft.identifiers
        if item.value and is_kept(item.system, item.kind)
        for identifier in [
            PreparedIdentifier(
                system=item.system[:LONGEST_SYSTEM],
                kind=item.kind[:16],
                value=item.value,
                token=vault.token(TokenKind.MRN, item.value),
                old=item.old,
            )
        ]
    }
    contacts: dict[tuple[ContactKind, int], PreparedContact] = {}
    for item in draft.contacts:
        contact = prepare_contact(vault, item.kind, item.value, region, use=item.use, rank=item.rank)
        if contact is not None:
            contacts.setdefault(contact.key, contact)
    tokens = set(name_tokens(vault, family, given))
    tokens.update(identifier.token for identifier in identifiers.values())
    tokens.update(token for contact in contacts.values() for token in contact.tokens)
    birth_token = vault.token(TokenKind.BIRTH_DATE, draft.birth_date) if draft.birth_date else None
    tokens.update(birth_tokens(vault, draft.birth_date))
    return Prepared(
        draft=draft,
        family_mark=vault.name_token(family) if family else None,
        birth_mark=None if birth_token is None else birth_token & LOW_16,
        identifiers=tuple(identifiers.values()),
        contacts=tuple(contacts.values()),
        tokens=frozenset(tokens),
    )


def prepare_contact(
    vault: Vault,
    kind: ContactKind,
    value: str,
    region: str,
    *,
    use: ContactUse = ContactUse.OTHER,
    rank: int = 1,
) -> PreparedContact | None:
    """One contact point with its tokens, or None where nothing is left of the value."""
    form = normal(kind, value, region)
    if form is None:
        return None
    token_kind = TokenKind.PHONE if kind is ContactKind.PHONE else TokenKind.EMAIL
    four = form.last_four
    return PreparedContact(
        normal=form,
        token=vault.token(token_kind, form.key),
        last_four_token=vault.token(TokenKind.LAST_FOUR, four) if four else None,
        use=use,
        rank=rank,
    )


def name_tokens(vault: Vault, family: str | None, given: str | None) -> frozenset[int]:
    """What a patient is found by through the name; each sign of a Han or kana name counts."""
    given_parts = given.split() if given else []
    parts = [family, *given_parts] if family else given_parts
    tokens = vault.name_tokens(parts)
    dense = {word[:length] for part in parts if is_dense(part) for word in name_words(part) for length in (1, 2)}
    return tokens | {vault.name_token(piece) for piece in dense}


def birth_tokens(vault: Vault, birth_date: str | None) -> frozenset[int]:
    """What a patient is found by through the birth date: the date, and its year."""
    if not birth_date:
        return frozenset()
    return frozenset(vault.token(TokenKind.BIRTH_DATE, part) for part in (birth_date, birth_date[:4]))


def is_dense(part: str) -> bool:
    """Whether a part is written in a script that needs only a few signs for a name (Han, kana)."""
    return not part.isascii() and any("\u2e80" <= sign <= "\u9fff" or sign > "\U0001ffff" for sign in part)
