"""Damaged files of every kind: a picture comes out or a refusal, never another error, and neither
takes long.
"""

import resource
import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from pipeline.decode import decode
from pipeline.errors import IdPhotoError
from tests.unit.pipeline.files import Make, display_p3, interlaced_png, saver, two_frames
from tests.unit.pipeline.mutations import MUTATIONS, Mutation

ROUNDS = 40
MAX_PIXELS = 20_000_000
# Far above what such a small file takes, and far below what a bomb does.
MAX_CPU_S = 2.0
MAX_GROWTH_KB = 500_000

KINDS: dict[str, Make] = {
    "jpeg": saver("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"),
    "progressive jpeg": saver("JPEG", progressive=True),
    "cmyk jpeg": lambda image: saver("JPEG")(image.convert("CMYK")),
    "mpo": two_frames("MPO"),
    "display p3 jpeg": display_p3("JPEG"),
    "png": saver("PNG"),
    "interlaced png": interlaced_png,
    "palette png": lambda image: saver("PNG", transparency=3)(image.quantize(64)),
    "webp": saver("WEBP"),
    "lossless webp": saver("WEBP", lossless=True),
    "animated webp": two_frames("WEBP"),
    "heic": saver("HEIF"),
    "avif": saver("AVIF", speed=10),
}


@pytest.fixture(scope="module")
def files(load_rgb: Callable[[str], np.ndarray]) -> dict[str, bytes]:
    """One small file of each kind."""
    portrait = Image.fromarray(load_rgb("tiny-glasses-autumn.jpg"))
    return {kind: make(portrait) for kind, make in KINDS.items()}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_damaged_files(files: dict[str, bytes], kind: str, mutation: Mutation) -> None:
    """Whatever is raised but an IdPhotoError fails the test."""
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(ROUNDS):
        rng = np.random.default_rng([seed, *kind.encode()])
        file = mutation(files[kind], rng)
        start = time.process_time()
        try:
            photo = decode(file, long_side_px=160, max_pixels=MAX_PIXELS)
        except IdPhotoError as error:
            assert all(error.text)
        else:
            assert photo.rgb.dtype == np.uint8 and photo.rgb.shape[2:] == (3,)
            assert 0 < max(photo.rgb.shape) < 2 * max(160, min(photo.full_size_px))
            assert np.prod(photo.full_size_px) <= MAX_PIXELS
        assert time.process_time() - start < MAX_CPU_S, f"seed {seed}"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < MAX_GROWTH_KB
