"""Looking a service up while answering, and putting what is told of it into the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Vertical

from crm_tui.commands import bindings
from crm_tui.desk.directory import Service
from crm_tui.screens.writing import Writing
from crm_tui.widgets.composer import Purpose
from crm_tui.widgets.service_picker import ServicePicker
from crm_tui.widgets.template_picker import TemplateOption, TemplatePicker


class LooksUp(Writing):
    """A screen with a composer over which the directory opens."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("directory")

    def __init__(self) -> None:
        super().__init__()
        self._services: dict[str, Service] = {}

    def do_directory(self) -> None:
        """Offer the services."""
        if self.identity is not None and not self.query(TemplatePicker):
            self.read("directory", self.session.directory.services, self._show_services)

    def _show_services(self, listed: Sequence[Service]) -> None:
        if self.query(TemplatePicker):
            return
        if not listed:
            self.flash("This clinic's playbook lists no service; directory.toml is where they go.", "warning")
            return
        self._services = {service.key: service for service in listed}
        ranked = self.session.directory.ranked
        picker = ServicePicker(lambda text: [_option(service) for service in ranked(listed, text)])
        self.add_class("-picking")
        self.query_one("#writing", Vertical).mount(picker)

    def on_service_picker_taken(self, event: ServicePicker.Taken) -> None:
        """Put it where the cursor is, in what is being written; begin a reply where nothing is."""
        event.stop()
        lines = self._services[event.key].lines
        self.on_template_picker_cancelled()
        if not self.composer.display:
            self._write(Purpose.REPLY)
        self.composer.insert(lines)
        self.desk_keeps(self.composer.text)


def _option(service: Service) -> TemplateOption:
    more = (f"For: {service.for_whom}" if service.for_whom else "", service.hours or "")
    told = "\n".join(line for line in more if line)
    return TemplateOption(
        id=service.key,
        name=service.title,
        category=service.phone or "",
        language=" ".join(service.languages),
        text=f"{service.lines}\n\n{service.what}\n{told}",
    )
