"""One database: how it is opened, brought up to date, and what its failures are called."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from filelock import FileLock
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

WAIT_S = 30
"""How long a call waits for others that write, before it is a failure."""
_MIGRATION_LOCK = 0x1D9407055E  # any number that nobody else on the server uses
_OUR_MISTAKES = (IntegrityError, ProgrammingError, DataError, NotSupportedError)


class StoreUnavailable(Exception):
    """The database cannot be reached, written or waited for; later it may be."""


class Database:
    """A pool of connections to the database at ``url``, with its tables up to date.

    Raises ``StoreUnavailable`` when it cannot be opened, ``ValueError`` for other kinds of URL.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
            open_ = _open_sqlite
        elif parsed.get_backend_name() == "postgresql":
            open_ = _open_postgresql
        else:
            raise ValueError("a job store is at sqlite:////folder/file or postgresql://host/name")
        with _failures():
            self._engine = open_(parsed)
        self._writer = self._engine.execution_options(writes=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only looks; it sees the database as it was at its first look."""
        with _failures(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end, undone by any exception."""
        with _failures(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise StoreUnavailable("every connection is in use") from error
    except DBAPIError as error:
        if isinstance(error, _OUR_MISTAKES):
            raise
        raise StoreUnavailable(str(error.orig).partition("\n")[0]) from error
    except (sqlite3.OperationalError, OSError) as error:
        raise StoreUnavailable(str(error)) from error


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "deployments.jobs:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _open_postgresql(url: URL) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_timeout=WAIT_S,
        # A node that hangs must not hold a job's lock, nor one whose server is gone wait for ever.
        connect_args={
            "connect_timeout": 5,
            "tcp_user_timeout": WAIT_S * 1000,
            "options": f"-c lock_timeout={WAIT_S}s -c idle_in_transaction_session_timeout=60s",
        },
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        _migrate(connection)
    return engine


def _open_sqlite(url: URL) -> Engine:
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)

    def connect() -> sqlite3.Connection:
        # mode=rw: a file that was lost must not come back empty.
        return sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw",
            uri=True,
            timeout=WAIT_S,
            isolation_level=None,
            check_same_thread=False,
        )

    engine = create_engine(url, creator=connect, pool_timeout=WAIT_S)
    event.listen(engine, "connect", _configure_sqlite(path))
    event.listen(engine, "checkout", _check_sqlite(path))
    event.listen(engine, "begin", _begin_sqlite)
    with FileLock(f"{path}.lock"):
        new = sqlite3.connect(path, timeout=WAIT_S)
        # Readers and the writer do not wait for each other.
        new.execute("PRAGMA journal_mode = WAL")
        new.close()
        with engine.execution_options(writes=True).begin() as connection:
            _migrate(connection)
    return engine


def _configure_sqlite(path: Path) -> Any:
    def configure(connection: sqlite3.Connection, record: Any) -> None:
        record.info["inode"] = path.stat().st_ino
        # An upload is erased once its result is committed, so a commit must survive a power cut,
        # which synchronous = NORMAL does not promise in WAL mode.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    return configure


def _check_sqlite(path: Path) -> Any:
    def check(_connection: object, record: Any, _proxy: object) -> None:
        # Writes to a file that was unlinked succeed, and are lost.
        inode = None
        with suppress(OSError):
            inode = os.stat(path).st_ino
        if inode != record.info["inode"]:
            raise DisconnectionError("the database's file was replaced or is gone")

    return check


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails where another wrote in between.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
