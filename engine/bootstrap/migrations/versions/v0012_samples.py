"""Users' samples: of each node the newest receipt that somebody doubts."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """None so far."""
    op.create_table(
        "samples",
        sa.Column("node_id", sa.LargeBinary(20), primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False, index=True),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
    )


def downgrade() -> None:
    """They only make checks come sooner."""
    op.drop_table("samples")
