"""A plain LitServe server of the same net, to compare with: decode, u2netp, crop, colour, JPEG.

python litserve_server.py NET.onnx PORT WORKERS

No face is looked for and no rule is kept: the crop is the person's box. It runs in an environment
of its own, made by benchmarks/peers.py, and imports nothing of this project.
"""

import sys
from typing import Any

import cv2
import litserve  # type: ignore[import-not-found]
import numpy as np
import onnxruntime
from fastapi import HTTPException, Request, Response
from starlette.formparsers import MultiPartParser

SIDE_PX, SIZE_PX = 320, (295, 413)
COLOUR = np.array([67, 142, 219], np.float32)
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
# Uploads travel to a worker by pickle, which files on disk refuse: they stay in memory.
MultiPartParser.spool_max_size = 64_000_000


class Cutter(litserve.LitAPI):  # type: ignore[misc]
    """One worker: one thread, no batches, which is what gave most photos a second on a CPU."""

    def __init__(self, net: str) -> None:
        super().__init__()
        self._net = net

    def setup(self, device: str) -> None:
        cv2.setNumThreads(1)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            self._net, settings, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def decode_request(self, request: Request) -> Any:
        bgr = cv2.imdecode(np.frombuffer(request["photo"].file.read(), np.uint8), cv2.IMREAD_COLOR)
        if bgr is None:
            raise HTTPException(400, "not a picture")
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)

    def predict(self, rgb: Any) -> Any:
        small = cv2.resize(rgb, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        planes = ((small / np.float32(max(small.max(), 1)) - MEAN) / STD).transpose(2, 0, 1)[None]
        alpha = self._session.run([self._output], {self._input: planes})[0][0, 0]
        alpha = (alpha - alpha.min()) / max(float(np.ptp(alpha)), 1e-6)
        x, y, width, height = crop(alpha, rgb.shape[1], rgb.shape[0])
        alpha = cv2.resize(alpha, (rgb.shape[1], rgb.shape[0]))[y : y + height, x : x + width]
        cut = cv2.resize(rgb[y : y + height, x : x + width], SIZE_PX, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, SIZE_PX, interpolation=cv2.INTER_AREA)[..., None]
        return (cut * alpha + COLOUR * (1 - alpha)).astype(np.uint8)

    def encode_response(self, rgb: Any) -> Response:
        _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        return Response(data.tobytes(), media_type="image/jpeg")


def crop(alpha: Any, width_px: int, height_px: int) -> tuple[int, int, int, int]:
    """x, y, width and height of the largest box of the photo's shape around the person's middle."""
    columns = np.flatnonzero((alpha > 0.5).any(axis=0))
    middle = (columns.mean() + 0.5) / SIDE_PX * width_px if columns.size else width_px / 2
    width = min(width_px, round(height_px * SIZE_PX[0] / SIZE_PX[1]))
    height = min(height_px, round(width * SIZE_PX[1] / SIZE_PX[0]))
    return round(min(max(middle - width / 2, 0), width_px - width)), 0, width, height


if __name__ == "__main__":
    net, port, workers = sys.argv[1:]
    server = litserve.LitServer(
        Cutter(net), accelerator="cpu", workers_per_device=int(workers), timeout=120
    )
    server.run(host="127.0.0.1", port=int(port), generate_client_file=False)
