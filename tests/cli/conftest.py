"""`crm` as it is called: arguments in; exit code, standard output and standard error out."""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crm_tui.__main__ import main


@dataclass(frozen=True, kw_only=True)
class Done:
    """One finished call."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as the one JSON document it must be."""
        return json.loads(self.out)


class Caller:
    """Calls `crm` in this process on one home, with standard input that is no terminal."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, stdin: str = "") -> Done:
        self._capsys.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["crm", "--home", str(self.home), *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        before = dict(os.environ)
        try:
            with pytest.raises(SystemExit) as end:
                main()
        finally:
            # A served session drops variables that could lead it astray; the tests still need theirs.
            os.environ.update(before)
        printed = self._capsys.readouterr()
        code = end.value.code
        return Done(code=code if isinstance(code, int) else 0, out=printed.out, err=printed.err)

    def done(self, *arguments: str, stdin: str = "") -> Any:
        """The JSON document of a call that must succeed."""
        answer = self(*arguments, "--json", stdin=stdin)
        assert answer.code == 0, answer.err
        return answer.json


@pytest.fixture(autouse=True)
def closed_logs() -> Iterator[None]:
    """Close the log file that a call opened."""
    yield
    for name in ("crm_core", "crm_tui"):
        for handler in logging.getLogger(name).handlers[:]:
            logging.getLogger(name).removeHandler(handler)
            handler.close()
        logging.getLogger(name).propagate = True


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call as this process's own account, whoever started the tests, in no home by accident."""
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.setenv("CRM_HOME", "/nonexistent/crm")


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Caller:
    """`crm` on a home that does not exist yet."""
    return Caller(tmp_path / "home", monkeypatch, capsys)


_made: dict[str, Path] = {}


@pytest.fixture
def crm_home(call: Caller, tmp_path_factory: pytest.TempPathFactory) -> Caller:
    """`crm` on a home that `crm init --key file` made; made once, copied for each test."""
    if "home" not in _made:
        home = tmp_path_factory.mktemp("init") / "home"
        kept, call.home = call.home, home
        answer = call("init", "--key", "file")
        call.home = kept
        assert answer.code == 0, answer.err
        _made["home"] = home
    shutil.copytree(_made["home"], call.home)
    return call
