"""Damages files as disks, networks and attackers do, each time the same for the same generator."""

from collections.abc import Callable

import numpy as np

Mutation = Callable[[bytes, np.random.Generator], bytes]

_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_HEADER_BYTES = 700


def flip_bits(file: bytes, rng: np.random.Generator) -> bytes:
    """Some bits anywhere."""
    changed = bytearray(file)
    for at in rng.integers(0, len(file), rng.integers(1, 12)):
        changed[at] ^= 1 << rng.integers(8)
    return bytes(changed)


def flip_header_bits(file: bytes, rng: np.random.Generator) -> bytes:
    """Some bits of the header."""
    head = min(_HEADER_BYTES, len(file))
    return flip_bits(file[:head], rng) + file[head:]


def edit_header(file: bytes, rng: np.random.Generator) -> bytes:
    """A number of one, two or four bytes of the header becomes extreme."""
    size = int(rng.choice((1, 2, 4)))
    at = int(rng.integers(0, min(_HEADER_BYTES, len(file) - size)))
    value = int(rng.choice(_EXTREMES)) & ((1 << 8 * size) - 1)
    return file[:at] + value.to_bytes(size, "big") + file[at + size :]


def cut(file: bytes, rng: np.random.Generator) -> bytes:
    """The end is missing."""
    return file[: int(rng.integers(1, len(file)))]


def drop(file: bytes, rng: np.random.Generator) -> bytes:
    """A piece is missing."""
    start, end = sorted(rng.integers(0, len(file), 2))
    return file[:start] + file[end:]


def repeat(file: bytes, rng: np.random.Generator) -> bytes:
    """A piece comes again and again."""
    start, end = sorted(rng.integers(0, len(file), 2))
    return file[:end] + file[start:end] * int(rng.integers(1, 20)) + file[end:]


def swap(file: bytes, rng: np.random.Generator) -> bytes:
    """Two neighbouring pieces have changed places."""
    a, b, c = sorted(rng.integers(0, len(file), 3))
    return file[:a] + file[b:c] + file[a:b] + file[c:]


def noise(file: bytes, rng: np.random.Generator) -> bytes:
    """A piece is noise."""
    start, end = sorted(rng.integers(0, len(file), 2))
    return file[:start] + rng.bytes(int(end - start)) + file[end:]


MUTATIONS: tuple[Mutation, ...] = (
    *(flip_bits, flip_header_bits, edit_header, cut, drop, repeat, swap, noise),
)
