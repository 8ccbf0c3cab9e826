"""The one border where a driver's error becomes ours; values never cross it."""

from __future__ import annotations

import logging

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from crm_core.errors import AlreadyInUse, CrmError, Unavailable, WrongKey

log = logging.getLogger(__name__)


FROM_THE_STORE = (DBAPIError, NoConnectionFree)
"""What `translate` takes: a driver's error, and a pool with no connection left."""

_SOON = "try again in a moment"
_ROOM = "make room on its disk, then try again"
_REMEDIES = {
    "40001": _SOON,
    "40P01": _SOON,
    "53100": _ROOM,
    "53300": _SOON,
    "55P03": _SOON,
    "57014": _SOON,
    "SQLITE_BUSY": _SOON,
    "SQLITE_FULL": _ROOM,
    "SQLITE_IOERR": "look whether its disk is full or failing, then try again",
    "SQLITE_READONLY": "check that this account may write its file",
}
"""By SQLSTATE or SQLite's name: clashes, time-outs, a full disk."""


class RuleBroken(CrmError):
    """The store refused a change that breaks its rule {rule}; nothing was saved, run `crm doctor` if it repeats."""


class Unanswered(Unavailable):
    """The store broke off before it said whether this was saved; look at it again before you repeat it."""


def translate(error: DBAPIError | NoConnectionFree) -> CrmError:
    """What a person is told; only SQLSTATE and the constraint's name are logged.

    psycopg's DETAIL and SQLite's message may hold values, so neither is looked at beyond
    the names in it.
    """
    if isinstance(error, NoConnectionFree):
        log.warning("no connection to the store came free")
        return Unavailable(what="The store", remedy=_SOON)
    original = error.orig
    state = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None) or "unknown"
    constraint = _constraint(original)
    log.warning("store error %s, constraint %s", state, constraint or "none")
    said = str(original)
    if "file is not a database" in said or "file is encrypted" in said:
        return WrongKey()
    if isinstance(error, IntegrityError):
        if state == "23505" or "UNIQUE" in said or "PRIMARYKEY" in state:
            return AlreadyInUse(what=_words(constraint) if constraint else "value")
        return RuleBroken(rule=constraint or state)
    if isinstance(error, OperationalError):
        usual = _SOON if "locked" in said else "check that it runs and run `crm doctor`"
        return Unavailable(what="The store", remedy=_remedy(state) or usual)
    return RuleBroken(rule=constraint or state)


def _remedy(state: str) -> str | None:
    # SQLite names what broke in more detail behind the code: SQLITE_IOERR_WRITE.
    return _REMEDIES.get(state) or _REMEDIES.get("_".join(state.split("_")[:2]))


def _words(constraint: str) -> str:
    """`uq_vendor_name` and `vendor.name` as a person says it."""
    return constraint.removeprefix("uq_").replace(".", " ").replace("_", " ")


def _constraint(original: BaseException | None) -> str | None:
    diagnostics = getattr(original, "diag", None)
    if diagnostics is not None:
        name: str | None = diagnostics.constraint_name
        return name
    # SQLite names columns after "UNIQUE constraint failed: staff.login": names, no values.
    head, found, names = str(original).partition("constraint failed: ")
    return names.strip() if found and head else None
