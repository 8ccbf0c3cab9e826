"""`crm`: parses, then imports only what the command needs."""

from __future__ import annotations

import os
import resource
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if "SUDO_UID" in os.environ:
        # A served session: TEXTUAL_DRIVER would run any module its caller names.
        for name in [name for name in os.environ if name.startswith(("TEXTUAL", "LD_", "PYTHON"))]:
            del os.environ[name]
    from crm_tui.cli.app import app

    try:
        _refuse_broken_words(sys.argv[1:])
        app(prog_name="crm")
    except SystemExit as end:
        code = end.code
        try:
            sys.stdout.flush()
        except OSError as error:
            from crm_tui.cli.errors import report

            code = report(error)
        sys.exit(code)
    except BaseException as error:  # noqa: BLE001 - the border: nothing may reach the interpreter's traceback
        from crm_tui.cli.errors import report

        sys.exit(report(error))


def _refuse_broken_words(words: list[str]) -> None:
    """Refuse an argument that is not UTF-8, unless it names a file: the store could not keep it."""
    for position, word in enumerate(words, start=1):
        if any("\ud800" <= character <= "\udfff" for character in word) and not os.path.lexists(word):
            from crm_core.errors import UsageError

            raise UsageError(problem=f"Argument {position} is not valid UTF-8", remedy="write it in UTF-8")


if __name__ == "__main__":
    main()
