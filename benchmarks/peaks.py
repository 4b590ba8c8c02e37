"""What GPUs could do at best, by their makers' data sheets."""

import re
from typing import NamedTuple


class Peak(NamedTuple):
    """Of dense arithmetic: half of what a data sheet states for tensors "with sparsity"."""

    fp32: float
    """TFLOP/s."""
    tf32: float
    """TFLOP/s; fp32's where the GPU knows no TF32."""
    fp16: float
    """TFLOP/s of its tensor cores."""
    gb_per_s: float
    """Of its memory."""


# NVIDIA's data sheets, by way of others' tables that quote them (November 2026); the A10's tensors
# by cores and clock from the A40's, which has the same chip. The name is what the driver says; the
# first that fits counts. Fits are exact, as NVL and PCIe boards differ from those on SXM.
_PEAKS = {
    r"T4": Peak(8.1, 8.1, 65, 320),
    r"L4": Peak(30.3, 60, 121, 300),
    r"A10": Peak(31.2, 62.5, 125, 600),
    r"A100.*40GB": Peak(19.5, 156, 312, 1555),
    r"A100-PCI.*80GB": Peak(19.5, 156, 312, 1935),
    r"A100.*80GB": Peak(19.5, 156, 312, 2039),
    r"H100 PCIe": Peak(51, 378, 756, 2000),
    r"H100 80GB HBM3": Peak(67, 494, 989, 3350),
    r"H200(?! NVL)": Peak(67, 494, 989, 4800),
}


def find(name: str) -> Peak | None:
    """The peaks of the GPU that the driver calls so; None for one that is not in the table."""
    for pattern, peak in _PEAKS.items():
        if re.search(rf"\b{pattern}\b", name):
            return peak
    return None
