"""A PostgreSQL server on a temporary folder and a free port of 127.0.0.1."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg


class Server:
    """The server of the programs in ``folder``. It refuses to run as root, and runs as the
    package's user then. It ends with the test, also with one that is killed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._as_user: list[str] = ["setpriv", "--pdeathsig", "INT"]
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self._data, user.pw_uid, user.pw_gid)
            ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
            self._as_user += ids
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        options = ["--username=idphoto", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        self._run("initdb", f"--pgdata={self._data}", "--no-locale", *options)
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def find() -> Path | None:
        """Where the newest installed server's programs are."""
        folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
        on_path = shutil.which("initdb")
        if on_path:
            folders.append(Path(on_path).resolve().parent)
        return max(folders, key=lambda folder: int(folder.parent.name), default=None)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        # Without fsync it survives its own crash, though no power cut, and is three times as fast.
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        settings += ["fsync=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        with open(self._data / "log", "ab") as log:
            self._process = subprocess.Popen(
                [*self._as_user, self._folder / "postgres", "-D", self._data, *options],
                stdout=log,
                stderr=log,
                cwd="/",
            )
        end = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                said = (self._data / "log").read_text("utf-8")
                assert self._process.poll() is None and time.monotonic() < end, said
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it: SIGINT in order but at once, SIGQUIT as a crash would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._data)

    def url(self, database: str) -> str:
        return f"postgresql://idphoto@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"jobs_{secrets.token_hex(4)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self._folder / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stderr
