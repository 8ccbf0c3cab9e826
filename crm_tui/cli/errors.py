"""The border of the command line: every error becomes one sentence on stderr and an exit code.

0 done · 1 done with failures · 2 usage · 3 not permitted · 4 store, key or gateway not
available · 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys

from crm_core.errors import CrmError

_NOT_WRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}


def report(error: BaseException) -> int:
    """Tell a person about `error`; returns the exit code."""
    if isinstance(error, CrmError):
        _say(error.message)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return 130
    if isinstance(error, BrokenPipeError):
        hush()
        return 1
    if isinstance(error, OSError) and error.errno in _NOT_WRITABLE:
        _say(f"The disk refused the write ({os.strerror(error.errno or 0)}); make room or check it, then try again.")
        return 4
    from crm_tui.crash import record
    from crm_tui.log import is_kept

    made = record(error)
    # Without a home there is no log: the places in the program hold no value, so they may be shown.
    where = "crm.log says where" if is_kept() else f"it was a {made.errors[-1]} at {' < '.join(made.frames[:-4:-1])}"
    _say(f"Something went wrong here, incident {made.id}; tell your administrator: {where}.")
    return 1


def hush() -> None:
    """Let the interpreter's last flush go nowhere: whoever read our output has left."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())


def _say(sentence: str) -> None:
    from crm_tui.cli.output import clean

    try:
        sys.stderr.write(f"crm: {clean(sentence)}\n")
    except OSError:
        hush()
