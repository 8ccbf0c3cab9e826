"""What is done with notices when their time has come: a whole batch by a fixed number of statements.

The world is looked at again: who the patient is now, how they want to be reached, what the
library has approved, what the gate says. Then a notice is handed to the outbox, becomes a call
list item, waits for when the gate lets it, or ends: expired, or refused with the reasons kept.
Where the patient has no number that works, a task asks for one; it never goes to somebody else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from crm_core.channels.gate import Candidate, Gate
from crm_core.channels.notices.deciding import Decided, Said, Tryout, decide, expired
from crm_core.channels.notices.due import Due, due_notices, with_what_goes_along
from crm_core.channels.notices.model import KIND, NoticeObserver
from crm_core.channels.notices.people import Person, Way, people, ways
from crm_core.channels.notices.settling import settle
from crm_core.channels.notices.texts import Letterhead, joined_fields
from crm_core.errors import Refused
from crm_core.library.model import TemplateView
from crm_core.library.queries import versions_of
from crm_core.playbook.clinic import ClinicSection
from crm_core.playbook.service import in_force
from crm_core.timers.model import Timer
from crm_core.timers.service import cancel_timers
from crm_core.words import Channel
from crm_core.work.units import WriteUnit

IN_TURN = timedelta(seconds=1)
"""After which a patient's second notice of one batch is looked at: the first counts towards the cap by then."""


class NoticeHandler:
    """The timers' handler of notices."""

    kind = KIND

    def __init__(self, gate: Gate, observers: Sequence[NoticeObserver] = ()) -> None:
        self._gate = gate
        self._observers = observers

    def fire(self, unit: WriteUnit, timers: Sequence[Timer]) -> Mapping[int, datetime]:
        """Decide on each notice that is still planned; those that wait run again at their time."""
        timer_of = {timer.subject_id: timer.id for timer in timers}
        with unit.listing("notices", "due"):
            due = due_notices(unit, timer_of)
            stale = [one for one in due if one.send_by is not None and one.send_by <= unit.now]
            first, later = _one_each(with_what_goes_along(unit, [one for one in due if one not in stale]))
            decided = [expired(one, "its time to be sent had passed") for one in stale]
            decided += self._decided(unit, first) if first else []
        again = {one.id: unit.now + IN_TURN for each in later for one in each.all}
        again |= settle(unit, decided, self._observers)
        _let_rest(unit, [one.id for each in decided if each.again is None for one in each.notice.with_it], timer_of)
        return {timer_of[notice_id]: at for notice_id, at in again.items() if notice_id in timer_of}

    def _decided(self, unit: WriteUnit, due: Sequence[Due]) -> list[Decided]:
        """What is to become of each, in their order."""
        patient_ids = sorted({one.patient_id for one in due})
        whom, how = people(unit, patient_ids), ways(unit, self._gate, patient_ids)
        versions = versions_of(unit, {one.template_key for one in due})
        head = Letterhead(clinic=in_force(unit).section(ClinicSection), now=unit.now)
        said: dict[int, list[Said]] = {one.id: [] for one in due}
        asking = [one for one in due if how[one.patient_id]]
        while asking:
            # A way is written and asked about only once those before it are refused: the first goes, as a rule.
            tried = [
                _tryout(
                    one, whom[one.patient_id], how[one.patient_id][len(said[one.id])], head, versions[one.template_key]
                )
                for one in asking
            ]
            verdicts = iter(
                self._gate.judge_all(unit, [each.candidate for each in tried if each.candidate is not None])
            )
            for one, each in zip(asking, tried, strict=True):
                said[one.id].append((each, next(verdicts) if each.candidate is not None else None))
            asking = [one for one in asking if _goes_on(said[one.id], how[one.patient_id])]
        return [decide(one, said[one.id], unit.now) for one in due]


def _tryout(one: Due, person: Person, way: Way, head: Letterhead, versions: Sequence[TemplateView]) -> Tryout:
    """The notice written for one way, or why the library refuses."""
    fields = joined_fields([each.fields for each in one.all], head.language_of(person))
    try:
        times = sorted(each.about_at for each in one.all if each.about_at is not None)
        written = head.write(versions, person, fields, way.channel, about_at=times)
    except Refused as error:
        return Tryout(way=way, refusal=error.message)
    candidate = Candidate(
        channel=way.channel,
        contact_point_id=way.contact_point_id,
        patient_id=one.patient_id,
        text=written.text,
        first_name=person.first_name,
        subject=head.subject if way.channel is Channel.EMAIL else None,
        purpose=one.purpose,
        automatic=not way.is_call,
        send_by=min((each.send_by for each in one.all if each.send_by is not None), default=None),
        template_version_id=written.version_id,
    )
    return Tryout(way=way, candidate=candidate, title=written.title)


def _goes_on(said: Sequence[Said], ways: Sequence[Way]) -> bool:
    """Whether the last way may not be taken, now or later, and there is another."""
    verdict = said[-1][1]
    return len(said) < len(ways) and not (verdict is not None and (verdict.may_wait or verdict.held))


def _let_rest(unit: WriteUnit, notice_ids: Sequence[int], in_hand: Collection[int]) -> None:
    """Take back the timers of what went along with another; those in our hands end with the batch."""
    others = [number for number in notice_ids if number not in in_hand]
    if others:
        cancel_timers(unit, KIND, others, "went along with another")


def _one_each(due: Sequence[Due]) -> tuple[list[Due], list[Due]]:
    """The first of each patient, and the others, which are looked at once that one counts."""
    first: dict[int, Due] = {}
    for one in due:
        first.setdefault(one.patient_id, one)
    return list(first.values()), [one for one in due if first[one.patient_id] is not one]
