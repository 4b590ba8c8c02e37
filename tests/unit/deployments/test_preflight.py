"""What keeps the service from starting is told before Ray starts, in one sentence each."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deployments import preflight
from models.weights import WeightsUnavailable

Say = Callable[..., list[str]]


@pytest.fixture
def port() -> int:
    """One that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def say(tmp_path: Path, port: int) -> Iterator[Say]:
    """The reasons against a start with these settings."""

    def reasons(http: dict[str, Any] | None = None, **args: Any) -> list[str]:
        application = {"import_path": "deployments.app:build", "args": args}
        options = {"host": "127.0.0.1", "port": port, **(http or {})}
        config = tmp_path / "config.yaml"
        config.write_text(json.dumps({"http_options": options, "applications": [application]}))
        return list(preflight.reasons(config))

    yield reasons


def test_nothing_is_in_the_way(say: Say) -> None:
    assert say(device="cpu") == []


def test_traces_without_the_exporter(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "PACKAGE", "opentelemetry.exporter.of_nobody")
    (reason,) = say(device="cpu", tracing={"otlp_url": "http://127.0.0.1:4318/v1/traces"})
    assert ".[tracing]" in reason


@pytest.mark.parametrize(("label", "said"), [("visible", True), ("metadata", False)])
def test_a_label_that_no_font_can_write(say: Say, label: str, said: bool) -> None:
    found = say(device="cpu", ai_label=label, ai_label_text="AI \ue000")
    assert [".[fonts]" in reason for reason in found] == ([True] if said else [])


@pytest.mark.parametrize(
    ("args", "mentions"),
    [
        ({"devise": "cpu"}, ("devise", "is device meant?")),
        ({"device": "gpu"}, ("device", "'gpu'", "'auto', 'cpu', 'cuda' or 'tensorrt'")),
        ({"deadline_s": -1}, ("deadline_s", "-1", "greater than 0")),
        ({"cropping": {"min_replicas": 0}}, ("cropping.min_replicas", "0")),
        ({"nets": {"person": "selfy"}}, ("selfy", "known:")),
        ({"nets": {"person": "mtcnn"}}, ("mtcnn", "not a matting net")),
    ],
)
def test_a_bad_setting(say: Say, args: dict[str, Any], mentions: tuple[str, ...]) -> None:
    (reason,) = say(**args)
    assert "\n" not in reason
    for words in mentions:
        assert words in reason


def test_every_bad_setting_is_told(say: Say) -> None:
    assert len(say(device="gpu", deadline_s=0, colour="red")) == 3


def test_a_device_that_is_not_there(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.session._why_no_gpu", lambda device: "there is no driver")
    (reason,) = say(device="cuda")
    assert "there is no driver" in reason
    assert say(device="cuda", gpu_nodes_on_demand=True) == []


def test_weights_that_cannot_be_had(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(name: str, folder: Path) -> None:
        raise WeightsUnavailable(f"no {name}")

    monkeypatch.setattr(preflight, "fetch", fetch)
    assert say() == ["no mtcnn"]


def test_a_port_in_use(say: Say, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        (reason,) = say()
    assert str(port) in reason and "http_options.port" in reason


@pytest.mark.parametrize("text", ["applications: [", "applications: 3", "- 1"])
def test_a_config_that_is_none(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(text)
    assert preflight.main([str(config)]) == 1
    assert str(config) in capsys.readouterr().err
    assert preflight.main([str(tmp_path / "missing.yaml")]) == 1
