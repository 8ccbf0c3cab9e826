"""Pick a service of the directory: type what it is called, see what is told of it, enter takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.message import Message
from typing_extensions import override

from crm_tui.widgets.template_picker import TemplatePicker


class ServicePicker(TemplatePicker):
    """The template picker over the services; its options' texts are what is told of each."""

    PLACEHOLDER: ClassVar[str] = "type what it is called: blood test, farmacia, ride"
    NOTHING: ClassVar[str] = "No service answers to this."

    @dataclass
    class Taken(Message):
        """The user took the service of this key."""

        key: str

    @override
    def choose(self) -> None:
        option = self.highlighted
        if option is not None:
            self.post_message(self.Taken(option.id))
