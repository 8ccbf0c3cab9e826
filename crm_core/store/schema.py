"""Bringing a store's schema to the newest version."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from crm_core.store import search_index
from crm_core.store.base import Base
from crm_core.store.driver_errors import translate
from crm_core.store.engines import Store


def migrate(store: Store) -> None:
    """Apply every migration the store has not seen, in one transaction."""
    try:
        with store.turn(), store.writing.begin() as connection:
            Base.metadata.create_all(connection)
            search_index.create(connection)
    except DBAPIError as error:
        raise translate(error) from None
