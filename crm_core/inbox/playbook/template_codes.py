"""What a template may name of the inbox's rules: for the library, which does not know them."""

from __future__ import annotations

from collections.abc import Iterator

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.inbox.playbook.section import CategoriesSection, OutcomesSection
from crm_core.library.checking import Codes, unknown_codes
from crm_core.library.lint import uncovered
from crm_core.library.section import TemplatesSection
from crm_core.playbook.loader import Playbook
from crm_core.playbook.problems import Problem
from crm_core.playbook.service import in_force
from crm_core.work.units import ReadUnit


@needs(Permission.PLAYBOOK_READ)
def template_codes(unit: ReadUnit) -> Codes:
    """The categories and outcomes of the playbook in force."""
    return _codes(in_force(unit))


def check_templates(playbook: Playbook) -> Iterator[Problem]:
    """Every category and outcome that a template names exists; every category has a template."""
    codes = _codes(playbook)
    texts = playbook.section(TemplatesSection).templates
    for text in texts:
        yield from unknown_codes(text, codes)
    yield from uncovered(texts, codes.categories)


def _codes(playbook: Playbook) -> Codes:
    return Codes(
        categories=frozenset(playbook.section(CategoriesSection).category),
        outcomes=frozenset(playbook.section(OutcomesSection).close),
    )
