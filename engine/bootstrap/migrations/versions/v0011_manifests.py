"""Manifests of published models."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nothing was published before."""
    op.create_table(
        "manifests",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("model_id", sa.String(100), nullable=False, unique=True),
        sa.Column("fingerprint", sa.String(32), nullable=False, index=True),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("kept_until", sa.BigInteger, nullable=False),
        sa.Column("source", sa.LargeBinary(16), nullable=False, index=True),
        sa.Column("signed", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("manifests")
