"""What did not go: of what nobody knows the fate, and what the provider refused."""

from __future__ import annotations

from datetime import date

from crm_core.access.model import SYSTEM
from crm_core.channels.delivery import Courier
from crm_core.channels.gate import Gate
from crm_core.channels.vendors import add_vendor
from crm_core.inbox.answering.answers import reply
from crm_core.words import Channel
from tests.channels.provider import ProviderGateway, provider_running
from tests.tour.clinic import BO, ELI, GUS, TourClinic
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed


def a_bad_morning(clinic: TourClinic) -> None:
    """The text provider refuses one answer and hangs up on two."""
    with clinic.crm.write(SYSTEM) as unit:
        add_vendor(unit, name="Example Texts", gateway="sms", baa_from=date(2026, 1, 1), baa_until=date(2026, 12, 31))
    with provider_running() as provider:
        gate = Gate(gateways={Channel.SMS: ProviderGateway(provider.port)})
        courier = Courier(units=clinic.crm.units, gate=gate, observers=clinic.crm.observers)
        for sender, mood in ((ELI, "stern"), (BO, "deaf"), (GUS, "deaf")):
            number = clinic.text(sender, "Hello, could you please answer me?")
            clinic.do("kim", reply, gate, number, "We are looking into it and call you today.")
            provider.mood, provider.asked = mood, "mute"
            courier.run_once()


SCENES = (
    Scene(
        title="What did not go",
        who="sam",
        why="Whatever nobody can tell of is sent again only when a person has said so.",
        before=a_bad_morning,
        steps=(
            COME_IN,
            Step(
                title="The list",
                why="`:outbox`: what is unknown, what was given up after eight tries, what was refused this week.",
                keys=(":", Typed("outbox"), "enter"),
                verbs=("outbox",),
                shows=("2 unknown", "0 given up", "1 refused in 7 days", "UNKNOWN", "REFUSED"),
            ),
            Step(
                title="Every reason",
                why="What the contact rules saw, then what became of it.",
                keys=("w",),
                verbs=("why",),
                shows=("Text to C-", "gateway: yes", "it has been unknown since"),
            ),
            Step(
                title="It was sent",
                why="Sam has asked the provider: this one arrived.",
                keys=("escape", "Y", "y"),
                verbs=("was_sent",),
                shows=("Settled as sent", "1 unknown"),
            ),
            Step(
                title="It was not sent",
                why="And this one did not: it is queued again.",
                keys=("X", "y"),
                verbs=("was_not_sent",),
                shows=("Queued again", "0 unknown"),
            ),
            Step(
                title="Try again",
                why="What the provider refused goes once more, now that its account is in order.",
                keys=("R", "y"),
                verbs=("try_again",),
                shows=("Queued again", "Nothing waits for a person here"),
            ),
        ),
    ),
)
