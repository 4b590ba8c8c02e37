"""Photos and folders for the tests of the command line."""

import io
from pathlib import Path

from PIL import Image


def folder(data: Path, at: Path) -> Path:
    """Twelve files: good photos, refused ones, hostile ones, and one that is no picture."""
    (at / "sub").mkdir(parents=True)
    for index, name in enumerate(("dark-skin-white-bg", "long-hair", "white-blouse")):
        (at / f"good-{index}.jpg").write_bytes((data / f"tiny-{name}.jpg").read_bytes())
    (at / "sub" / "good-0.jpg").write_bytes((data / "tiny-glasses-autumn.jpg").read_bytes())
    (at / "sub" / "名.PNG").write_bytes((data / "tiny-dark-skin-white-bg.jpg").read_bytes())
    (at / "cat.png").write_bytes((data / "cat.png").read_bytes())
    (at / "crowd.png").write_bytes(crowd(data))
    (at / "empty.jpg").write_bytes(b"")
    (at / "cut.jpg").write_bytes((data / "tiny-long-hair.jpg").read_bytes()[:2000])
    (at / "text.jpg").write_bytes(b"this is no picture")
    (at / "vast.png").write_bytes(vast())
    (at / "gone.jpg").symlink_to(at / "nowhere")
    return at


CODES = {
    "cat.png": "no_face",
    "crowd.png": "several_faces",
    "empty.jpg": "empty_body",
    "cut.jpg": "broken_image",
    "text.jpg": "unsupported_format",
    "vast.png": "too_many_pixels",
    "gone.jpg": "unreadable_file",
}
GOOD = {"good-0.jpg", "good-1.jpg", "good-2.jpg", "sub/good-0.jpg", "sub/名.PNG"}


def crowd(data: Path) -> bytes:
    """Four people side by side."""
    names = ("long-hair", "pale-dress", "white-blouse", "glasses-autumn")
    canvas = Image.new("RGB", (4 * 192, 256))
    for index, name in enumerate(names):
        canvas.paste(Image.open(data / f"tiny-{name}.jpg"), (192 * index, 0))
    return _png(canvas)


def vast() -> bytes:
    """A small file that says that it holds 100 megapixels."""
    return _png(Image.new("1", (10_000, 10_000)))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
