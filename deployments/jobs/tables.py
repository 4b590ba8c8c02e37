"""The two tables, and how their rows become records. ``migrations`` makes them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from deployments.jobs.records import Item, ItemState, Job, JobState

metadata = MetaData()


def _state(kind: type[StrEnum]) -> Enum:
    return Enum(
        kind, native_enum=False, length=16, values_callable=lambda states: [s.value for s in states]
    )


def _count(name: str, type_: Any = Integer) -> Column[Any]:
    return Column(name, type_, nullable=False, server_default="0")


jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("created_at", Double, nullable=False),
    Column("state", _state(JobState), nullable=False),
    Column("order", JSON, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("started_at", Double),
    Column("ended_at", Double),
    Column("paused_for", Text),
    Column("keep_s", Double, nullable=False),
    Column("keep_until", Double),
    Column("webhook_url", Text),
    Column("webhook_at", Double),
    _count("webhook_tries"),
    # Counts what was leased, over all jobs; the job with the lowest number has the next turn.
    _count("turn", BigInteger),
    _count("finished_no"),
    # How many items are in each state, so that progress costs one row. Right at every moment,
    # because whoever moves an item locks the job's row first.
    *(_count(state.value) for state in ItemState),
    _count("upload_bytes", BigInteger),
    _count("result_bytes", BigInteger),
    UniqueConstraint("key_name", "idempotency_key", name="jobs_idempotency"),
)
Index("jobs_turn", jobs.c.state, jobs.c.turn)

items = Table(
    "items",
    metadata,
    Column("job_id", String(32), ForeignKey("jobs.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("state", _state(ItemState), nullable=False),
    _count("attempt"),
    _count("tries"),
    Column("runner", Text),
    Column("lease_until", Double),
    Column("upload_key", Text),
    _count("upload_bytes", BigInteger),
    Column("source", Text),
    Column("overrides", JSON, nullable=False),
    Column("error", Text),
    Column("checks", JSON, nullable=False),
    Column("result_keys", JSON, nullable=False),
    _count("result_bytes", BigInteger),
    Column("finished_no", Integer),
    Column("finished_at", Double),
    UniqueConstraint("job_id", "finished_no", name="items_finished"),
)
Index("items_state", items.c.job_id, items.c.state, items.c.position)
# Conditions of partial indexes, as text: with a bound parameter SQLite would not use the index.
LEASED = text("state = 'leased'")
"""Somebody works on the item."""
Index("items_lease", items.c.lease_until, sqlite_where=LEASED, postgresql_where=LEASED)
ERASABLE = text("upload_key IS NOT NULL AND state IN ('done', 'cancelled')")
"""The upload is still kept and needed no more."""
Index(
    "items_erasable",
    items.c.job_id,
    items.c.position,
    sqlite_where=ERASABLE,
    postgresql_where=ERASABLE,
)


def to_job(row: Mapping[Any, Any]) -> Job:
    """The record of a row of ``jobs``."""
    return Job(
        id=row["id"],
        created_at=row["created_at"],
        state=row["state"],
        counts={state: row[state.value] for state in ItemState},
        order=row["order"],
        key_name=row["key_name"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        paused_for=row["paused_for"],
        keep_until=row["keep_until"],
        finished_no=row["finished_no"],
        upload_bytes=row["upload_bytes"],
        result_bytes=row["result_bytes"],
        webhook_url=row["webhook_url"],
        webhook_tries=row["webhook_tries"],
    )


def to_item(row: Mapping[Any, Any]) -> Item:
    """The record of a row of ``items``."""
    return Item(
        job_id=row["job_id"],
        position=row["position"],
        name=row["name"],
        state=row["state"],
        attempt=row["attempt"],
        tries=row["tries"],
        upload_key=row["upload_key"],
        upload_bytes=row["upload_bytes"],
        source=row["source"],
        overrides=row["overrides"],
        error=row["error"],
        checks=row["checks"],
        result_keys=tuple(row["result_keys"]),
        result_bytes=row["result_bytes"],
        finished_no=row["finished_no"],
        finished_at=row["finished_at"],
    )
