"""The place of a relay in the graph."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Who was listed before is admitted anew."""
    op.add_column("members", sa.Column("admission", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("members", sa.Column("absence", sa.Float, nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop the two columns."""
    op.drop_column("members", "absence")
    op.drop_column("members", "admission")
