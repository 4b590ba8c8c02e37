"""What a photo leaves in Ray's object store: nothing."""

import io

import httpx
import ray
from PIL import Image
from ray._private.internal_api import node_stats

from tests.serve.conftest import eventually


def held_bytes() -> int:
    (node,) = ray.nodes()
    stats = node_stats(node["NodeManagerAddress"], node["NodeManagerPort"], False)
    return int(stats.store_stats.object_store_bytes_used)


def test_the_object_store_lets_go_of_every_photo(client: httpx.Client, portrait: bytes) -> None:
    # Too large to be sent from step to step by itself.
    file = io.BytesIO()
    Image.open(io.BytesIO(portrait)).convert("RGB").resize((1200, 1200)).save(file, "PNG")
    portrait = file.getvalue()
    assert len(portrait) > 1_500_000
    # What Ray itself keeps there.
    order, before, most = {"document": "cn-1-inch"}, held_bytes(), 0
    for photo in [portrait] * 8 + [portrait[:100_000]] * 4 + [bytes(500_000)] * 4:
        client.post("/v1/photos", files={"photo": photo}, data=order)
        most = max(most, held_bytes())
    assert most > before + len(portrait) // 2  # photos do pass through it
    eventually(lambda: held_bytes() < before + len(portrait) // 2)
