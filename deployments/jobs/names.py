"""Names of files that came from outside: whether they are safe, and how to make them so."""

import re
from pathlib import PurePosixPath

MAX_CHARACTERS = 300
_DRIVE = re.compile(r"^[A-Za-z]:")
# Control characters, and what Windows does not have in names.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*]')
# Names that are devices in Windows, whatever follows the dot.
_DEVICE = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.I)
# What turns the direction of the text around it: gpj.exe would be shown as exe.jpg.
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def is_safe(name: str) -> bool:
    """Whether the name, with slashes or backslashes between folders, stays below its folder and can
    be a file's.
    """
    path = name.replace("\\", "/")
    return (
        0 < len(name) <= MAX_CHARACTERS
        and not path.startswith("/")
        and not _DRIVE.match(path)
        and ".." not in path.split("/")
        and not any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in name)
    )


def shown(name: str) -> str:
    """The beginning of the name without what cannot be printed, for messages."""
    return "".join(letter for letter in name[:60] if letter.isprintable())


def harmless(name: str) -> str:
    """The name as a relative path that is safe on every system; ``photo`` where nothing is left."""
    path = _DRIVE.sub("", name.replace("\\", "/"))
    parts = (_harmless_part(part) for part in path.split("/"))
    kept = [part for part in parts if part]
    while len("/".join(kept)) > MAX_CHARACTERS and len(kept) > 1:
        kept = kept[1:]
    return "/".join(kept)[-MAX_CHARACTERS:].lstrip("/") or "photo"


def _harmless_part(part: str) -> str:
    part = _BIDI.sub("", "".join("_" if "\ud800" <= c <= "\udfff" else c for c in part))
    part = _FORBIDDEN.sub("_", part).strip().rstrip(".")
    if part.strip(".") == "":
        return ""
    return f"_{part}" if _DEVICE.match(part) else part


class Unique:
    """Gives each name once: further ones become ``name (2).jpg``. Case does not count, as it does
    not on Windows and macOS.
    """

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def name(self, wanted: str) -> str:
        """The name, or the first one with a number that is free."""
        path = PurePosixPath(wanted)
        name = wanted
        count = self._taken.get(wanted.casefold(), 0)
        while name.casefold() in self._taken:
            count += 1
            name = str(path.with_name(f"{path.stem} ({count + 1}){path.suffix}"))
        if count:
            self._taken[wanted.casefold()] = count
        self._taken[name.casefold()] = 0
        return name
