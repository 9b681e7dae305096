"""Alembic's entry point: runs the migrations on the connection that the store hands over."""

from alembic import context
from sqlalchemy import Connection

from engine.bootstrap.tables import Base

connection = context.config.attributes["connection"]
if not isinstance(connection, Connection):
    raise TypeError("the store passes an open connection")
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
