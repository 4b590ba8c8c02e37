"""The few batch sizes that a net runs in on a GPU, and which of them hold a given number of photos.

A size that the device has met before costs no search for algorithms, no new memory and, with CUDA
graphs, no launches; so others are padded to one of these, or split into several.
"""

from collections.abc import Mapping


def sizes(largest: int) -> tuple[int, ...]:
    """1, 2, 4 and so on below ``largest``, and ``largest``, a number from 1 up, itself."""
    return (*(2**power for power in range((largest - 1).bit_length())), largest)


def cover(count: int, seconds: Mapping[int, float]) -> tuple[int, ...]:
    """The sizes, largest first, that together hold ``count`` photos in the least time, when a batch
    of each size takes so many ``seconds`` however full it is.

    Whether 5 photos run as 8 or as 4 and 1 depends on the device. With t(n) = a + c n padding costs
    a + 8c and splitting 2a + 5c: a device that is full with one photo (a < 3c) splits, one that
    spends its time on launches pads.
    """
    best: list[tuple[float, tuple[int, ...]]] = [(0, ())]
    for left in range(1, count + 1):
        ways = ((seconds[size], size, best[max(0, left - size)]) for size in seconds)
        best.append(min((taken + rest, (size, *sizes)) for taken, size, (rest, sizes) in ways))
    return tuple(sorted(best[count][1], reverse=True))
