"""Up to which epoch batches of receipts were deleted; of receipts that were shown only that they were."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No batch was deleted so far."""
    op.create_table(
        "receipt_batches_forgotten", sa.Column("before", sa.BigInteger, primary_key=True, autoincrement=False)
    )
    op.add_column("openings", sa.Column("shown", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("UPDATE openings SET shown = (opening IS NOT NULL)")
    op.drop_column("openings", "opening")
    op.create_index("openings_by_node", "openings", ["node_id", "asked"])
    op.create_index("openings_by_epoch", "openings", ["asked"])


def downgrade() -> None:
    """What was shown is asked for again."""
    op.drop_index("openings_by_epoch", "openings")
    op.drop_index("openings_by_node", "openings")
    op.add_column("openings", sa.Column("opening", sa.LargeBinary, nullable=True))
    op.drop_column("openings", "shown")
    op.drop_table("receipt_batches_forgotten")
