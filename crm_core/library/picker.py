"""Which templates to offer first: pure ranking over what the queries returned."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from crm_core.library.model import TemplateState, TemplateView

LOWEST = 60.0
"""Below this similarity (0 to 100) a template is not offered for a query."""
_FOR_RECENT, _FOR_CATEGORY = 6.0, 8.0


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A template on offer; `recent` and `fits` say why it stands where it does."""

    template: TemplateView
    score: float
    recent: bool
    fits: bool


def rank(
    templates: Sequence[TemplateView], query: str = "", *, category: str | None = None, recent: Sequence[str] = ()
) -> list[Pick]:
    """`templates` in the order to offer them.

    Without a query: what fits the conversation's category and was used lately, then what fits,
    then recents, then the rest by title. With one: by likeness to title, key and purpose, where
    fitting and recent use only settle what is about equally like. `recent` holds keys, latest first.
    """
    wanted = _folded(query)
    picks = []
    for template in templates:
        likeness = _likeness(wanted, template) if wanted else 0.0
        if wanted and likeness < LOWEST:
            continue
        fits, lately = category in template.categories, template.key in recent
        score = likeness + _FOR_CATEGORY * fits + _FOR_RECENT * lately
        picks.append(Pick(template=template, score=score, recent=lately, fits=fits))
    place = {key: position for position, key in reversed(list(enumerate(recent)))}
    picks.sort(
        key=lambda pick: (
            -pick.score,
            place.get(pick.template.key, len(place)),
            pick.template.title.casefold(),
            pick.template.key,
            pick.template.language,
        )
    )
    return picks


def best_variant(versions: Sequence[TemplateView], language: str) -> TemplateView:
    """Of one template's versions, at least one, that to send or to judge: approved, in `language`, else in English.

    The newest there is where none is in either language.
    """

    def rating(version: TemplateView) -> tuple[bool, bool, int]:
        return version.state is TemplateState.APPROVED, version.language == language, version.number

    spoken = [each for each in versions if each.language in (language, "en")]
    return max(spoken or versions, key=rating)


def _likeness(wanted: str, template: TemplateView) -> float:
    title, key = _folded(template.title), template.key.replace("_", " ")
    if all(any(word.startswith(part) for word in f"{title} {key}".split()) for part in wanted.split()):
        return 100.0
    by_title = max(fuzz.WRatio(wanted, title), fuzz.WRatio(wanted, key))
    return max(by_title, 0.9 * fuzz.token_set_ratio(wanted, _folded(template.purpose)))


def _folded(text: str) -> str:
    """Lower case without accents, so that `cita` and `Citá` are alike."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in plain if not unicodedata.combining(char)).split())
