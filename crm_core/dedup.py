"""The keys by which one occasion happens once: of timers, of what is sent, of tasks.

A key is codes and ids, never a patient's data, and at most 80 characters. The same occasion gives
the same key on every host and after every crash; the store's unique columns do the rest. Every
key of the house is made here, so that no two features can mean different things by one.
"""

from __future__ import annotations


def message_key(message_id: int) -> str:
    """A message that a person wrote, or that has no other occasion than itself."""
    return f"message-{message_id}"


def keyword_answer_key(message_id: int) -> str:
    """The one answer to a text that was a carriers' word."""
    return f"keyword-{message_id}"


def delivery_task_key(message_id: int) -> str:
    """The task that a message left which did not arrive."""
    return f"delivery-{message_id}"


def incoming_key(incoming_id: int) -> str:
    """The handling of one thing that was brought."""
    return f"incoming-{incoming_id}"
