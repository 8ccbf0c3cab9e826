"""The scenes in the order of the page."""

from __future__ import annotations

from tests.tour import (
    app_wide,
    asking,
    coming_in,
    consent,
    deciding,
    handoff,
    letters,
    library,
    many,
    notices,
    outbox,
    ringing,
    threads,
    working,
)
from tests.tour.steps import Scene

SCENES: tuple[Scene, ...] = (
    *coming_in.SCENES,
    *working.SCENES,
    *deciding.SCENES,
    *threads.SCENES,
    *many.SCENES,
    *handoff.SCENES,
    *asking.SCENES,
    *letters.SCENES,
    *outbox.SCENES,
    *notices.SCENES,
    *ringing.SCENES,
    *consent.SCENES,
    *library.SCENES,
    *app_wide.SCENES,
)
