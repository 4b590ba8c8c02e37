"""Migrations make what the tables say."""

from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event

from deployments.jobs import leases, listing
from deployments.jobs.store import Store
from deployments.jobs.tables import metadata


def test_the_migrations_make_the_tables(tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path}/migrated.db").close()
    migrated = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/migrated.db")
    with migrated.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
    migrated.dispose()


def test_an_open_store_keeps_what_there_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deep/folder/jobs.db"
    first = Store(url)
    job, _ = first.create({"document": "x"}, keep_s=1)
    second = Store(url)
    assert second.job(job.id) == job
    first.close()
    second.close()


@pytest.mark.parametrize("index", ["items_lease", "items_erasable"])
def test_sweeps_look_only_at_what_concerns_them(tmp_path: Path, index: str) -> None:
    """Else each lease and each sweep would look at every item that there ever was."""
    Store(f"sqlite:///{tmp_path}/jobs.db").close()
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/jobs.db")
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
    with engine.connect() as connection:
        listing.erasable(connection, 10)
        leases.overdue_jobs(connection, 1.0, 60)
        plans = [
            row[3]
            for statement, parameters in list(asked)
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert any(index in plan for plan in plans), plans
    engine.dispose()
