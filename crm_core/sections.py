"""Every feature's part of the playbook, in the order in which mistakes are reported."""

from __future__ import annotations

from dataclasses import replace

from crm_core.channels.consent.wording_section import SECTION as CONSENT
from crm_core.channels.contact_section import SECTION as CONTACT
from crm_core.channels.danger_section import SECTION as DANGER
from crm_core.channels.keywords_section import SECTION as KEYWORDS
from crm_core.channels.prompts.section import SECTION as PROMPTS
from crm_core.inbox.playbook.sections import SECTIONS as INBOX
from crm_core.inbox.playbook.template_codes import check_templates
from crm_core.library.directory import SECTION as DIRECTORY
from crm_core.library.section import SECTION as TEMPLATES
from crm_core.playbook.calendars import CALENDARS
from crm_core.playbook.clinic import CLINIC
from crm_core.playbook.loader import Section

_TEMPLATES = replace(TEMPLATES, checks=(*TEMPLATES.checks, check_templates))

SECTIONS: tuple[Section, ...] = (
    CLINIC,
    CALENDARS,
    *INBOX,
    DANGER,
    KEYWORDS,
    CONTACT,
    CONSENT,
    PROMPTS,
    DIRECTORY,
    _TEMPLATES,
)
