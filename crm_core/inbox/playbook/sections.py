"""The sections of a playbook that the inbox reads, with their checks."""

from __future__ import annotations

from crm_core.inbox.playbook.overlap_checks import check_overlaps, check_shadows
from crm_core.inbox.playbook.section import (
    CategoriesSection,
    LanesSection,
    OutcomesSection,
    RoutingSection,
    SegmentsSection,
    WordsSection,
)
from crm_core.inbox.playbook.section_checks import (
    CATEGORIES_FILE,
    LANES_FILE,
    ROUTING_FILE,
    SEGMENTS_FILE,
    WORDS_FILE,
    check_categories,
    check_lanes,
    check_routing,
    check_words,
)
from crm_core.playbook.loader import Section

SECTIONS = (
    Section(name="lanes", model=LanesSection, files=(LANES_FILE,), checks=(check_lanes,)),
    Section(name="categories", model=CategoriesSection, files=(CATEGORIES_FILE,), checks=(check_categories,)),
    Section(name="segments", model=SegmentsSection, files=(SEGMENTS_FILE,), required=False),
    Section(name="outcomes", model=OutcomesSection, files=("outcomes.toml",)),
    Section(name="words", model=WordsSection, files=(WORDS_FILE,), checks=(check_words,)),
    Section(
        name="routing",
        model=RoutingSection,
        files=(ROUTING_FILE,),
        checks=(check_routing, check_overlaps, check_shadows),
    ),
)
"""The inbox's part of a playbook, for app.py."""
