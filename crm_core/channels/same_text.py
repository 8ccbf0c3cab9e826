"""Whether two messages say the same: by a blind token of the text, so that nothing is opened to compare."""

from __future__ import annotations

from crm_core.vault.vault import Vault

SHORTEST = 20
"""Letters; what is shorter ("yes, thanks") says the same in many mouths, and its frequency would tell something."""


def text_token(vault: Vault, text: str) -> int | None:
    """The token of a text, whatever its case, spacing and punctuation; None for a short one."""
    folded = "".join(letter for letter in text.casefold() if letter.isalnum())
    return vault.token("message_text", folded) if len(folded) >= SHORTEST else None
