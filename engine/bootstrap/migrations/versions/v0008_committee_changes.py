"""Changes of the committee that its members' owners want."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "committee_changes",
        sa.Column("member", sa.LargeBinary(32), primary_key=True),
        sa.Column("issued", sa.BigInteger, nullable=False),
        sa.Column("signed", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("committee_changes")
