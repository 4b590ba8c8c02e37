"""Networks behind small classes: arrays in, arrays out."""

import os

# onnxruntime 1.29 and later report to their maker unless this is set before the first import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
