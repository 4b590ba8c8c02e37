"""``GET /metrics``: what Ray's exporter of this node says, under the names of the dashboard."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Iterator

import ray
from fastapi import FastAPI, Response

from pipeline.errors import Unavailable

_OURS = "ray_idphoto_"
# Of Ray's own what the dashboard shows: all of it is 1 MB a scrape, most of it about Ray itself.
# GPUs are there where NVML finds some.
_RAYS = (
    *("ray_serve_num_http_requests", "ray_serve_num_http_error_requests"),
    *("ray_serve_deployment_replica_healthy", "ray_serve_deployment_replica_starts"),
    *("ray_serve_autoscaling_target_replicas", "ray_object_store_used_memory"),
    *("ray_node_gpus_utilization", "ray_node_gram_", "ray_node_mem_", "ray_node_cpu_utilization"),
)
_PATIENCE_S = 5
_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Ray's exporter is a neighbour: no proxy of the environment is asked.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def install(app: FastAPI) -> None:
    """Adds /metrics, which asks for a key where there are keys."""

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        text = await asyncio.to_thread(_of_this_node)
        return Response(passed_on(text), media_type=_MEDIA_TYPE)


def passed_on(text: str) -> str:
    """Ours without Ray's prefix, and some of Ray's own, of a text in Prometheus' format."""
    return "".join(f"{line}\n" for line in _chosen(text))


def _chosen(text: str) -> Iterator[str]:
    for line in text.splitlines():
        name = line.removeprefix("# HELP ").removeprefix("# TYPE ")
        if name.startswith(_OURS):
            yield line.replace("ray_", "", 1)
        elif name.startswith(_RAYS):
            yield line


def _of_this_node() -> str:
    """Raises Unavailable where the exporter does not answer."""
    here = ray.get_runtime_context().get_node_id()
    node = next(node for node in ray.nodes() if node["NodeID"] == here)
    url = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
    try:
        with _OPENER.open(url, timeout=_PATIENCE_S) as answer:
            text: str = answer.read().decode()
    except (urllib.error.URLError, OSError) as error:
        raise Unavailable("unavailable") from error
    return text
