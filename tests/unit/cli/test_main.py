"""The commands that work on this machine, from their arguments to files, output and exit code."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli import serve
from cli.main import main
from tests.unit.cli.people import crowd

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture(scope="module")
def portrait() -> Path:
    return Path(__file__).parents[2] / "data" / "astronaut.png"


def test_a_photo_becomes_a_file_for_each_variant(run: Run, portrait: Path, tmp_path: Path) -> None:
    wanted = ("--document", "us-passport", "--background", "red", "--background", "blue")
    code, out, _ = run("make", portrait, *wanted, "--quality", "fast", "-o", tmp_path / "new")
    assert code == 0
    files = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert files == ["astronaut_us-passport_blue.jpg", "astronaut_us-passport_red.jpg"]
    assert all(str(tmp_path / "new" / name) in out for name in files)
    with Image.open(tmp_path / "new" / files[1]) as made:
        assert made.size == (600, 600)
        red, green, blue = np.asarray(made.convert("RGB"))[3, 3]
        assert red > 240 and green < 15 and blue < 15


def test_a_refused_photo_is_told_and_does_not_stop_the_others(
    run: Run, portrait: Path, tmp_path: Path
) -> None:
    photos = (portrait.with_name("cat.png"), portrait)
    order = ("--document", "us-passport", "--quality", "fast", "-o", tmp_path, "--json")
    code, out, _ = run("make", *photos, *order)
    assert code == 1
    cat, person = map(json.loads, out.splitlines())
    assert (cat["code"], cat["results"]) == ("no_face", [])
    assert (person["code"], len(person["results"])) == ("", 1)
    assert {"eyes_open", "head_height"} <= {check["code"] for check in person["checks"]}


@pytest.mark.parametrize(
    ("photo", "code", "failed"), [("astronaut.png", 0, ""), ("crowd.png", 1, "faces")]
)
def test_checks_are_told_and_a_failed_one_is_the_exit_code(
    run: Run, portrait: Path, tmp_path: Path, photo: str, code: int, failed: str
) -> None:
    path = tmp_path / photo
    path.write_bytes(portrait.read_bytes() if code == 0 else crowd(portrait.parent))
    ended, out, _ = run("check", path, "--quality", "fast", "--json")
    checks = json.loads(out)["checks"]
    assert ended == code
    assert [check["code"] for check in checks if check["result"] == "fail"] == (
        [failed] if failed else []
    )


def test_a_photo_is_judged_as_it_is(run: Run, portrait: Path) -> None:
    code, out, _ = run("check", portrait, "--as-is", "--quality", "fast")
    assert code == 1
    assert "background_evenness" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("make", "nowhere.jpg", "--document", "us-passport"), 2, "nowhere.jpg"),
        (("make", "PHOTO", "--document", "no-such"), 2, "no-such"),
        (("make", "PHOTO", "PHOTO", "--document", "us-passport"), 2, "astronaut"),
        (("make", "PHOTO", "--document", "us-passport", "--key", "x"), 2, "--server"),
        (("make", "PHOTO", "--document", "us-passport", "--server", "ftp://x"), 2, "ftp://x"),
        (("check", "PHOTO", "--document", "no-such"), 2, "no-such"),
        (("serve", "--config", "nowhere.yaml"), 2, "nowhere.yaml"),
        (("batch", "nowhere", "target", "--document", "us-passport"), 2, "nowhere"),
        (("batch", ".", "target", "--document", "us-passport", "--workers", "0"), 2, "--workers"),
    ],
)
def test_wrong_use_is_told_before_anything_is_done(
    run: Run, portrait: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended, out, err = run(*(str(portrait) if name == "PHOTO" else name for name in arguments))
    assert (ended, out) == (code, "")
    assert said in err


def test_a_target_that_cannot_be_written_ends_the_command(
    run: Run, portrait: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    order = ("--document", "us-passport", "--quality", "fast")
    code, _, err = run("make", portrait, *order, "-o", tmp_path / "file")
    assert code == 4
    assert "cannot be written" in err


def test_documents_are_found_by_words_and_country(run: Run) -> None:
    assert "us-passport" in run("documents", "--search", "united states passport")[1]
    french = run("documents", "--country", "fr", "--json")[1].splitlines()
    found = [json.loads(line) for line in french]
    assert found and {document["country"] for document in found} == {"fr"}
    assert run("documents", "--search", "atlantis")[0] == 1


def test_the_shipped_configuration_is_served() -> None:
    shipped = Path(serve.__file__).with_name("serve_config.yaml")
    assert "deployments.app:build" in shipped.read_text("utf-8")
    assert serve.command(shipped)[1:] == ["-m", "cli.own_ray", str(shipped.resolve())]


def test_ray_s_dashboard_is_there_for_who_asks_for_it() -> None:
    config = Path("config.yaml")
    assert set(serve.command(config, dashboard=True)) - set(serve.command(config)) == {
        "--dashboard"
    }


def test_ray_is_not_loaded_but_for_a_batch() -> None:
    heavy = "{'ray', 'pyarrow', 'fastapi', 'deployments'}"
    code = f"import sys, cli.main; cli.main.parser(); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
