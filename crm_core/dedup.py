"""The keys by which one occasion happens once: of timers, of what is sent, of tasks.

A key is codes and ids, never a patient's data, and at most 80 characters. The same occasion gives
the same key on every host and after every crash; the store's unique columns do the rest. Every
key of the house is made here, so that no two features can mean different things by one.
"""

from __future__ import annotations

from datetime import datetime


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


def notice_key(patient_id: int, occasion: str, step: str) -> str:
    """One notice: to a patient, of an occasion, of a plan's step."""
    return f"notice-{patient_id}-{occasion}-{step}"


def notice_timer_key(notice_id: int) -> str:
    """The time at which a notice is looked at."""
    return f"notice-{notice_id}"


def notice_again_key(notice_id: int, shared: str) -> str:
    """The timer of a notice that is told alone, since the message or call that it shared was stopped."""
    return f"notice-{notice_id}-without-{shared}"


def notice_message_key(notice_id: int, timer_id: int) -> str:
    """The one message, or the one call list item, that a notice becomes when a timer of its fires."""
    return f"notice-{notice_id}-{timer_id}"


def prompt_timer_key(prompt_id: int) -> str:
    """The one time at which a question is no longer open."""
    return f"prompt-{prompt_id}"


def prompt_answer_key(message_id: int) -> str:
    """The one answer of ours to a reply that a prompt took."""
    return f"reply-{message_id}"


def prompt_task_key(message_id: int, patient_id: int) -> str:
    """The telephone task that a reply left about one patient."""
    return f"reply-{message_id}-{patient_id}"


def find_number_key(notice_id: int) -> str:
    """The task to find a number for a patient whom a notice did not reach."""
    return f"find-number-{notice_id}"


def low_response_key(patient_id: int, first: datetime) -> str:
    """The task that a run of unanswered contacts leaves: one for each run, by when the first of it was."""
    return f"low-response-{patient_id}-{int(first.timestamp())}"


def number_gone_key(patient_id: int, message_id: int) -> str:
    """The task that a message to a number left which is the patient's no more."""
    return f"number-gone-{patient_id}-{message_id}"


def agreement_key(vendor_id: int) -> str:
    """The warning that an agreement ends soon."""
    return f"agreement-{vendor_id}"


def agreement_over_key(vendor_id: int) -> str:
    """The urgent task that an agreement has ended and nothing leaves by it."""
    return f"agreement-over-{vendor_id}"
