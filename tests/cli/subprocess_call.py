"""`crm` as a process of its own, as a person's shell or a script starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.conftest import Done

LONGEST = 120.0
"""Seconds until a call that hangs is a failure."""


class Shell:
    """Runs `python -m crm_tui` on one home; standard input is never a terminal."""

    def __init__(self, home: Path) -> None:
        self.home = home
        kept = {name: value for name, value in os.environ.items() if name not in ("SUDO_UID", "CRM_HOME")}
        self._environment = kept | {"CRM_HOME": str(home)}

    def __call__(self, *arguments: str | Path, stdin: str = "") -> Done:
        ended = subprocess.run(
            [sys.executable, "-m", "crm_tui", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            env=self._environment,
            timeout=LONGEST,
            check=False,
        )
        return Done(code=ended.returncode, out=ended.stdout, err=ended.stderr)

    def done(self, *arguments: str | Path, stdin: str = "", code: int = 0) -> Any:
        """The JSON document of a call that must end with `code`."""
        answer = self(*arguments, "--json", stdin=stdin)
        assert answer.code == code, answer.err
        return answer.json

    def refused(self, *arguments: str | Path, stdin: str = "") -> tuple[int, str]:
        """The exit code and the one sentence of a call that must fail."""
        answer = self(*arguments, stdin=stdin)
        assert answer.code != 0, answer.out
        assert "Traceback" not in answer.err
        said = answer.err.strip().splitlines()[-1]
        return answer.code, said
