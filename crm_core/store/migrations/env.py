"""What Alembic runs: on the connection that was passed in, in the transaction that it is in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from crm_core.store.base import Base

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
context.run_migrations()
