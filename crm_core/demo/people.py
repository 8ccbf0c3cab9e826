"""Invented patients, by household, as FHIR R4 resources."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from crm_core.demo.sources import Origin, PeopleSource, people_source

MRN_SYSTEM = "https://maple-street.example.org/mrn"
ON_FILE_DAYS = 120
"""Everything that is known of a patient was known so many days ago: before the first message of the plan."""
_NUMBERS_EACH = 100
_GROWN_UP = 18
_OLD = 68


@dataclass(frozen=True, kw_only=True)
class Person:
    """One patient. `phone` is E.164; `texts` says it is a mobile of their own or a child's parent's.

    `boys` are the first names of the sons in the household; `shared` says that somebody else
    has the same phone.
    """

    mrn: str
    given: str
    family: str
    female: bool
    birth_date: date
    age: int
    language: str
    phone: str | None
    mobile: bool
    email: str | None
    shared: bool
    deceased_on: date | None
    boys: tuple[str, ...]
    address: str

    @property
    def writes(self) -> bool:
        """Whether this person may write to the clinic: grown up, alive, with a phone of their own."""
        return self.age >= _GROWN_UP and self.deceased_on is None and self.phone is not None and not self.shared


@dataclass(kw_only=True)
class _Member:
    """A person on the way; phones are shared out last."""

    given: str
    family: str
    female: bool
    age: int
    phone: str | None = None
    mobile: bool = True


def make_people(count: int, today: date, seed: int) -> tuple[Person, ...]:
    """At least `count` patients, whole households, the same for the same `today` and `seed`."""
    town = _Town(today, seed)
    people: list[Person] = []
    while len(people) < count:
        people += town.household(first=len(people))
    return tuple(people)


def resource(person: Person) -> dict[str, Any]:
    """The FHIR R4 Patient, as an EHR would send it."""
    source = people_source()
    telecom: list[dict[str, Any]] = []
    if person.phone:
        use = "mobile" if person.mobile else "home"
        telecom.append({"system": "phone", "value": _written(person.phone, person.mrn), "use": use, "rank": 1})
    if person.email:
        telecom.append({"system": "email", "value": person.email, "rank": len(telecom) + 1})
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "id": f"demo-{person.mrn.lower()}",
        "active": person.deceased_on is None,
        "identifier": [
            {
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
                "system": MRN_SYSTEM,
                "value": person.mrn,
            }
        ],
        "name": [{"use": "official", "family": person.family, "given": person.given.split()}],
        "telecom": telecom,
        "gender": "female" if person.female else "male",
        "birthDate": person.birth_date.isoformat(),
        "address": [
            {
                "use": "home",
                "line": [person.address],
                "city": source.town,
                "state": source.state,
                "postalCode": source.zip,
                "country": "US",
            }
        ],
        "communication": [
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": person.language}]}, "preferred": True}
        ],
    }
    if person.deceased_on is not None:
        patient["deceasedDateTime"] = datetime.combine(person.deceased_on, time(12), UTC).isoformat()
    return patient


def bundle(people: tuple[Person, ...]) -> dict[str, Any]:
    """A transaction bundle of `people`, which `crm import fhir` takes."""
    entries = [
        {
            "fullUrl": f"urn:demo:{person.mrn}",
            "resource": resource(person),
            "request": {"method": "POST", "url": "Patient"},
        }
        for person in people
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


class _Town:
    """Hands out names, numbers and addresses, each number and each mail address once."""

    def __init__(self, today: date, seed: int) -> None:
        self.today = today
        self.source = people_source()
        self.rng = random.Random(f"{seed}:people")  # noqa: S311 - invented people, no secret
        tails = range(_NUMBERS_EACH, 2 * _NUMBERS_EACH)
        self.numbers = [f"+1{area}5550{tail}" for area in self.source.area_codes for tail in tails]
        self.rng.shuffle(self.numbers)
        self.mails: set[str] = set()

    def household(self, *, first: int) -> list[Person]:
        """A family at one address; `first` is how many people there are already."""
        rng = self.rng
        origin = rng.choices(self.source.origin, weights=[origin.weight for origin in self.source.origin])[0]
        members = _members(rng, origin)
        language = rng.choices(list(origin.languages), weights=list(origin.languages.values()))[0]
        _share_phones(rng, members, self.numbers)
        address = f"{rng.randint(2, 380)} {rng.choice(self.source.streets)}"
        if rng.random() < 0.2:  # noqa: PLR2004 - one home in five is a flat
            address += f" Apt {rng.randint(1, 12)}{rng.choice('ABC')}"
        boys = tuple(member.given.split()[0] for member in members if member.age < _GROWN_UP and not member.female)
        held = [member.phone for member in members]
        return [
            Person(
                mrn=f"MS{10_000 + 7 * (first + index)}",
                given=member.given,
                family=member.family,
                female=member.female,
                birth_date=self._birth(member),
                age=member.age,
                language=language,
                phone=member.phone,
                mobile=member.mobile,
                email=_email(rng, member, self.source, self.mails) if member.age >= _GROWN_UP else None,
                shared=member.phone is not None and held.count(member.phone) > 1,
                deceased_on=self._death(member),
                boys=boys,
                address=address,
            )
            for index, member in enumerate(members)
        ]

    def _birth(self, member: _Member) -> date:
        days = round((member.age + self.rng.random() * 0.98) * 365.2425)
        return self.today - timedelta(days=max(days, ON_FILE_DAYS))

    def _death(self, member: _Member) -> date | None:
        """About one patient in a hundred has died."""
        if member.age <= _OLD or self.rng.random() > 0.07:  # noqa: PLR2004
            return None
        return self.today - timedelta(days=self.rng.randint(ON_FILE_DAYS, 600))


def _members(rng: random.Random, origin: Origin) -> list[_Member]:
    """One or two grown-ups of an age, and children where the age allows."""
    age = min(93, max(19, round(rng.gauss(48, 19))))
    families = rng.sample(origin.family, 2)
    both = rng.random() < 0.55  # noqa: PLR2004 - homes with two grown-ups
    female = rng.random() < 0.5  # noqa: PLR2004
    members = [_Member(given="", family=_name(origin, families), female=female, age=age)]
    if both:
        other = list(reversed(families)) if origin.two_family_names else families
        partner = max(19, age + rng.randint(-5, 5))
        members.append(_Member(given="", family=_name(origin, other), female=not female, age=partner))
    if 24 <= age <= 52:  # noqa: PLR2004 - who may have children at home
        for _ in range(rng.choices([0, 1, 2, 3], weights=[40, 28, 24, 8])[0]):
            child = rng.randint(0, min(17, age - 20))
            kid = _Member(given="", family=_name(origin, families), female=rng.random() < 0.5, age=child)  # noqa: PLR2004
            members.append(kid)
    taken: set[str] = set()
    for member in members:
        names = [name for name in (origin.female if member.female else origin.male) if name not in taken]
        member.given = rng.choice(names)
        taken.add(member.given)
    return members


def _name(origin: Origin, families: list[str]) -> str:
    return " ".join(families) if origin.two_family_names else families[0]


def _share_phones(rng: random.Random, members: list[_Member], numbers: list[str]) -> None:
    """A mobile each, mostly: some couples and the old share a landline, children have a parent's, a few have none."""
    grown = [member for member in members if member.age >= _GROWN_UP]
    landline = numbers.pop() if grown[0].age > _OLD and rng.random() < 0.5 else None  # noqa: PLR2004
    for member in grown:
        if landline is not None:
            member.phone, member.mobile = landline, False
        elif member is not grown[0] and rng.random() < 0.12:  # noqa: PLR2004
            member.phone = grown[0].phone
        elif rng.random() > 0.04:  # noqa: PLR2004
            member.phone = numbers.pop()
    for member in members:
        if member.age < _GROWN_UP:
            # Most children are on file without a number; the rest share a parent's.
            member.phone = grown[-1].phone if rng.random() < 0.25 else None  # noqa: PLR2004


def _email(rng: random.Random, member: _Member, source: PeopleSource, mails: set[str]) -> str | None:
    if rng.random() > (0.75 if member.age < _OLD else 0.35):
        return None
    base = f"{_plain(member.given)}.{_plain(member.family.split()[0])}"
    mail = f"{base}@{rng.choice(source.mail_hosts)}"
    while mail in mails:
        mail = f"{base}{rng.randint(2, 99)}@{rng.choice(source.mail_hosts)}"
    mails.add(mail)
    return mail


def _plain(name: str) -> str:
    """Letters a mail address may have."""
    folded = unicodedata.normalize("NFKD", name.replace("ł", "l").replace("Ł", "L").casefold())
    return "".join(char for char in folded if "a" <= char <= "z")


def _written(phone: str, mrn: str) -> str:
    """A number as different front desks type it."""
    area, exchange, line = phone[2:5], phone[5:8], phone[8:]
    forms = (f"({area}) {exchange}-{line}", f"{area}-{exchange}-{line}", phone, f"+1 {area} {exchange} {line}")
    return forms[int(mrn[2:]) % len(forms)]
