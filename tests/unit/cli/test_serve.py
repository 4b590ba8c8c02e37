import sys
from pathlib import Path

import pytest

from cli import serve


def test_ray_gets_haproxy_where_it_comes_with_it() -> None:
    found = serve.environment()
    assert found.items() >= serve.RAY.items()
    assert found["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
    program = Path(found["RAY_SERVE_HAPROXY_BINARY_PATH"])
    assert program.name == "idphoto-haproxy"
    assert program.is_file()


def test_sockets_have_room_for_a_nodes_id_in_their_paths() -> None:
    # Ray puts 56 letters between folder and name, and HAProxy a process id behind it; a path of a
    # socket has at most 107.
    path = serve.environment()["RAY_SERVE_HAPROXY_SOCKET_PATH"]
    assert len(path) + 57 + len(".4194304.tmp") <= 107


def test_elsewhere_ray_keeps_its_own_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    found = serve.environment()
    assert found.items() >= serve.RAY.items()
    assert not [name for name in found if "HAPROXY" in name or "HA_PROXY" in name]
