"""worlds, lore pieces and job history"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

_ID = sa.Uuid(as_uuid=False)
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_NUMBER: sa.Double[float] = sa.Double()
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the first tables."""
    _worlds()
    _lore_pieces()
    _job_history()


def _worlds() -> None:
    op.create_table(
        "worlds",
        sa.Column("id", _ID, nullable=False),
        sa.Column("root_job_id", _ID, nullable=False),
        sa.Column("job_id", _ID, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("story", sa.Text(), nullable=False),
        sa.Column("quest", _JSON, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worlds"),
        sa.UniqueConstraint("root_job_id", name="uq_worlds_root_job_id"),
    )
    op.create_index("ix_worlds_owner_created_at_id", "worlds", ["owner", "created_at", "id"])
    op.create_index("ix_worlds_created_at_id", "worlds", ["created_at", "id"])


def _lore_pieces() -> None:
    op.create_table(
        "lore_pieces",
        sa.Column("world_id", _ID, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("details", _JSON, nullable=False),
        sa.ForeignKeyConstraint(["world_id"], ["worlds.id"], name="fk_lore_pieces_world_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("world_id", "position", name="pk_lore_pieces"),
    )


def _job_history() -> None:
    op.create_table(
        "job_history",
        sa.Column("job_id", _ID, nullable=False),
        sa.Column("root_job_id", _ID, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("started_at", _MOMENT, nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("rescues", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", _NUMBER, nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", name="pk_job_history"),
    )
