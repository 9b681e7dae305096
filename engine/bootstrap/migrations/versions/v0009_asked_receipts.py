"""The receipts that somebody wanted to see, as their nodes signed them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of those that were asked for before nothing more is known."""
    for name in ("key", "record", "signature"):
        op.add_column("openings", sa.Column(name, sa.LargeBinary, nullable=True))


def downgrade() -> None:
    """Forget them."""
    for name in ("key", "record", "signature"):
        op.drop_column("openings", name)
