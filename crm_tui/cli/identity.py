"""Who is acting on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_core.access.model import SYSTEM, Actor, Permission
from crm_core.access.queries import NoAccount, for_os_user
from crm_core.errors import CrmError, NotPermitted
from crm_tui.cli.secrets import ask_secret
from crm_tui.cli.session import is_served, os_user

if TYPE_CHECKING:
    from crm_core.app import Crm


class NeedsPassword(CrmError):
    """Served sessions ask for a password and {login} has none; an administrator sets one with `crm staff password`."""

    exit_code = 3


def act(crm: Crm, as_name: str | None) -> Actor:
    """The account named by --as, after its password; else the operating-system user's.

    Behind sudo the mapped account is asked for its password too. Raises NoAccount, SignInRefused.
    """
    if as_name is not None:
        return _with_password(crm, as_name)
    with crm.read(SYSTEM) as unit:
        account = for_os_user(unit, os_user())
    if not is_served():
        return account.as_actor()
    if not account.has_password:
        raise NeedsPassword(login=account.login)
    return _with_password(crm, account.login)


def act_for_machine(crm: Crm, as_name: str | None, permission: Permission) -> Actor:
    """The system, where the caller may; a caller without an account may, as it holds the key."""
    try:
        actor = act(crm, as_name)
    except NoAccount:
        if is_served():
            raise
        return SYSTEM
    if not actor.may(permission):
        raise NotPermitted(action=permission.phrase, permission=permission.value)
    return SYSTEM


def _with_password(crm: Crm, login: str) -> Actor:
    from crm_core.access.signin import sign_in

    return sign_in(crm, login, ask_secret(f"Password of {login}: ")).actor
