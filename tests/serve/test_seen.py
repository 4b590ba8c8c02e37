"""What an operator sees of the live service: traces, log and metrics."""

import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import ray

from tests.serve.collector import Collector, Span
from tests.serve.conftest import ROOT, eventually
from tests.serve.prometheus import DEPLOY, program, watching

DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "idphoto.json"
ORDER = {"document": "cn-1-inch", "quality": "best"}
ID = "the-slow-one"
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
# By NVML, which comes with NVIDIA's driver.
GPU = re.compile("ray_node_(gpus|gram)_")


def lines(request_id: str) -> list[dict[str, Any]]:
    """What the Gateways' logs say about one request, each line read as JSON."""
    node: Any = ray._private.worker._global_node
    folder = Path(node.get_logs_dir_path()) / "serve"
    texts = [path.read_text("utf-8") for path in folder.glob("replica_idphoto_Gateway_*.log")]
    read = [json.loads(line) for text in texts for line in text.splitlines()]
    return [line for line in read if line.get("request_id") == request_id]


@pytest.fixture(scope="module")
def traced(client: httpx.Client, collector: Collector, portrait: bytes) -> list[Span]:
    """The spans of one photo that came with an id and with a trace of its caller."""
    headers = {"X-Request-Id": ID, "traceparent": f"00-{TRACE}-{CALLER}-01"}
    photo = {"photo": ("Anna Schmidt.png", portrait, "image/png")}
    assert client.post("/v1/photos", files=photo, data=ORDER, headers=headers).status_code == 200
    eventually(lambda: len(collector.of_trace(TRACE)) >= 4)
    return collector.of_trace(TRACE)


def test_a_photo_has_a_span_for_each_stage(traced: list[Span]) -> None:
    found = {span.name: span for span in traced}
    assert sorted(found) == ["POST /v1/photos", "compositing", "cropping", "matting"]
    assert found["POST /v1/photos"].parent_id == CALLER
    for stage in ("cropping", "matting", "compositing"):
        assert found[stage].parent_id == found["POST /v1/photos"].span_id
        assert found[stage].deployment.lower() == stage
        told = found[stage].attributes
        assert 0 < told["idphoto.work_ms"] <= found[stage].took_ms
        assert told["idphoto.wait_ms"] >= 0
    assert found["matting"].attributes["idphoto.batch_photos"] == 1
    assert sum(span.took_ms for span in traced) < 2 * found["POST /v1/photos"].took_ms


def test_a_photo_is_found_by_its_request_id(traced: list[Span]) -> None:
    (root,) = (span for span in traced if span.name.startswith("POST"))
    assert root.attributes["idphoto.request_id"] == ID
    eventually(lambda: lines(ID) != [])
    (line,) = lines(ID)
    assert line["trace_id"] == TRACE
    assert (line["kind"], line["document"], line["code"]) == ("photo", "cn-1-inch", "ok")
    for stage in ("upload", "cropping", "matting", "compositing"):
        assert 0 < line[f"{stage}_ms"] == root.attributes[f"idphoto.{stage}_ms"] < line["took_ms"]
    assert "Schmidt" not in json.dumps(line)
    assert not re.search(r"127\.0\.0\.1", line["message"])


def test_a_refused_photo_is_one_line_with_its_code(client: httpx.Client) -> None:
    headers = {"X-Request-Id": "refused"}
    answer = client.post("/v1/photos", files={"photo": b"text"}, data=ORDER, headers=headers)
    eventually(lambda: lines("refused") != [])
    (line,) = lines("refused")
    assert line["code"] == answer.json()["code"] == "unsupported_format"
    assert f"POST /v1/photos {answer.status_code} " in line["message"]
    assert "trace_id" not in line  # of 1 in so many, here of none


def test_probes_leave_no_line(client: httpx.Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.get(path, headers={"X-Request-Id": "probe"}).status_code == 200
    client.get("/v1/documents/nowhere", headers={"X-Request-Id": "asked"})
    eventually(lambda: lines("asked") != [])
    assert lines("probe") == []


def dashboard_queries() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def names(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:idphoto|ray)_[a-z_]+", re.sub(r"\{[^}]*\}", "", expression)))


def test_the_alerts_are_raised_by_what_they_are_for() -> None:
    tests = DEPLOY / "rules_test.yml"
    ran = subprocess.run([program("promtool"), "test", "rules", tests], capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode() + ran.stdout.decode()


def test_prometheus_answers_every_query(
    client: httpx.Client, address: str, portrait: bytes, tmp_path: Path
) -> None:
    with watching(address, tmp_path) as prometheus:
        photo = {"photo": portrait}
        assert client.post("/v1/photos", files=photo, data=ORDER).status_code == 200
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("ann.png", portrait)
        zipped = {"Content-Type": "application/zip"}
        job = client.post("/v1/jobs", params=ORDER, content=file.getvalue(), headers=zipped)
        assert job.status_code == 202
        client.post("/v1/photos", files={"photo": b"text"}, data=ORDER)
        by_kind = 'sum(idphoto_photos_total{kind="%s",document="cn-1-inch",code="%s"})'
        for kind, code in (("job", "ok"), ("photo", "ok"), ("photo", "unsupported_format")):
            query = by_kind % (kind, code)
            eventually(lambda query=query: prometheus.value(query) > 0, 120)
        eventually(lambda: prometheus.value('max(idphoto_job_items{state="done"})') > 0)
        # Rates are of two scrapes at least.
        queries = [query for query in dashboard_queries() if not GPU.search(query)]
        eventually(lambda: all(prometheus.query(query) for query in queries))
        # A scrape that a busy service is late for takes all of them away until the next one.
        for query in [*dashboard_queries(), (DEPLOY / "rules.yml").read_text("utf-8")]:
            for name in names(query):
                expected = not GPU.match(name) or shutil.which("nvidia-smi") is not None
                eventually(lambda n=name, there=expected: bool(prometheus.query(n)) is there)
        rules = prometheus.rules()
        assert {rule["health"] for rule in rules} == {"ok"}, rules
        firing = [rule["name"] for rule in rules if rule.get("state") == "firing"]
        assert firing == []
