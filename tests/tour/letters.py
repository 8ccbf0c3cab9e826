"""What comes with a letter: quoted text, attachments."""

from __future__ import annotations

from crm_core.channels.model import Attached
from tests.tour.clinic import HAZEL, TourClinic
from tests.tour.coming_in import COME_IN
from tests.tour.steps import Scene, Step, Typed

LETTER = """Here is the signed form. Could you send the records to my new address?

On Mon, Nov 16, 2026 at 9:14 AM the front desk wrote:
> We need a signed form before we may send your records.
> The form is at the front desk and in the portal.
"""


def letter_with_form(clinic: TourClinic) -> None:
    """Hazel answers with a form and a film."""
    form = Attached(name="signed-form.pdf", media_type="application/pdf", content=b"%PDF-" + b"1" * 48_000)
    film = Attached(name="film.mov", media_type="video/quicktime", size=90_000_000)
    clinic.text(HAZEL, LETTER, subject="My records", attachments=(form, film))


SCENES = (
    Scene(
        title="Letters and attachments",
        who="kim",
        why="Quoted text is folded; what is attached is named, and leaves the store only by a person's hand.",
        before=letter_with_form,
        steps=(
            COME_IN,
            Step(
                title="Folded",
                why="Only what is new is shown; a line says how much is folded. Attachments stand by name and size.",
                keys=("K", "K", "K", "K", "enter"),
                verbs=("open",),
                shows=("signed-form.pdf, application/pdf", "quoted line", "too large"),
                hides=("The form is at the front desk",),
            ),
            Step(
                title="Unfold",
                why="u shows what is quoted, and folds it away again.",
                keys=("u",),
                verbs=("unfold",),
                shows=("The form is at the front desk",),
            ),
            Step(
                title="Save an attachment",
                why="Which one; what was not kept cannot be chosen.",
                keys=("u", "f"),
                verbs=("save_file",),
                shows=("Save which attachment?", "not kept: ask for it another way"),
            ),
            Step(
                title="Where to",
                why="As a new file that only its saver may read; nothing that exists is touched, and it is audited.",
                keys=(Typed("signed"), "enter", Typed("form-of-hazel.pdf"), "enter"),
                shows=("Saved as form-of-hazel.pdf",),
            ),
        ),
    ),
)
