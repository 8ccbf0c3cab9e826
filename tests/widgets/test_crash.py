"""An incident says where, and never whom."""

from __future__ import annotations

import logging
import threading

import pytest
from textual.worker import WorkerFailed

from crm_tui import crash

_PATIENT = "Sentinel Patient"


def _lookup(name: str) -> None:
    found = {"name": name}
    raise KeyError(f"no {found}")


def _error() -> BaseException:
    try:
        _lookup(_PATIENT)
    except KeyError as error:
        outer = RuntimeError(_PATIENT)
        outer.__cause__ = error
        return outer
    raise AssertionError


def test_an_incident_has_types_and_lines_and_no_value() -> None:
    made = crash.incident(_error())
    assert made.errors == ("builtins.RuntimeError", "builtins.KeyError")
    assert any(frame.startswith("tests/widgets/test_crash.py:") and frame.endswith("_lookup") for frame in made.frames)
    assert _PATIENT not in repr(made)


def test_a_failed_worker_is_told_by_what_failed_in_it() -> None:
    made = crash.incident(WorkerFailed(_error()))
    assert "builtins.KeyError" in made.errors


def test_the_log_gets_no_value(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        made = crash.record(_error())
    assert made.id in caplog.text
    assert _PATIENT not in caplog.text
    assert "no {" not in caplog.text


def test_a_thread_that_dies_prints_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("excepthook", "unraisablehook"):
        monkeypatch.setattr(f"sys.{name}", getattr(__import__("sys"), name))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    crash.guard_process()
    thread = threading.Thread(target=_lookup, args=(_PATIENT,))
    thread.start()
    thread.join()
    assert _PATIENT not in "".join(capsys.readouterr())


def test_a_chain_of_errors_that_loops_ends() -> None:
    first, second = ValueError(), ValueError()
    first.__cause__, second.__cause__ = second, first
    assert len(crash.incident(first).errors) == 8
