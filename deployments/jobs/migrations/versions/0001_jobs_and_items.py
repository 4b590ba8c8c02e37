"""Jobs and their items."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _count(name: str, type_: type[sa.Integer] = sa.Integer) -> sa.Column[int]:
    return sa.Column(name, type_, nullable=False, server_default="0")


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("order", sa.JSON, nullable=False),
        sa.Column("key_name", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("started_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("paused_for", sa.Text),
        sa.Column("keep_s", sa.Double, nullable=False),
        sa.Column("keep_until", sa.Double),
        sa.Column("webhook_url", sa.Text),
        sa.Column("webhook_at", sa.Double),
        _count("webhook_tries"),
        _count("turn", sa.BigInteger),
        _count("finished_no"),
        _count("waiting"),
        _count("leased"),
        _count("done"),
        _count("failed"),
        _count("cancelled"),
        _count("upload_bytes", sa.BigInteger),
        _count("result_bytes", sa.BigInteger),
        sa.UniqueConstraint("key_name", "idempotency_key", name="jobs_idempotency"),
    )
    op.create_index("jobs_turn", "jobs", ["state", "turn"])
    op.create_table(
        "items",
        sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        _count("attempt"),
        _count("tries"),
        sa.Column("runner", sa.Text),
        sa.Column("lease_until", sa.Double),
        sa.Column("upload_key", sa.Text),
        _count("upload_bytes", sa.BigInteger),
        sa.Column("source", sa.Text),
        sa.Column("overrides", sa.JSON, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("checks", sa.JSON, nullable=False),
        sa.Column("result_keys", sa.JSON, nullable=False),
        _count("result_bytes", sa.BigInteger),
        sa.Column("finished_no", sa.Integer),
        sa.Column("finished_at", sa.Double),
        sa.UniqueConstraint("job_id", "finished_no", name="items_finished"),
    )
    op.create_index("items_state", "items", ["job_id", "state", "position"])
    leased = sa.text("state = 'leased'")
    op.create_index(
        "items_lease", "items", ["lease_until"], sqlite_where=leased, postgresql_where=leased
    )
    erasable = sa.text("upload_key IS NOT NULL AND state IN ('done', 'cancelled')")
    op.create_index(
        "items_erasable",
        "items",
        ["job_id", "position"],
        sqlite_where=erasable,
        postgresql_where=erasable,
    )
