import pytest

from benchmarks import peaks


@pytest.mark.parametrize(
    ("name", "fp16", "gb_per_s"),
    [
        ("Tesla T4", 65, 320),
        ("NVIDIA L4", 121, 300),
        ("NVIDIA A10", 125, 600),
        ("NVIDIA A100-SXM4-40GB", 312, 1555),
        ("NVIDIA A100-PCIE-40GB", 312, 1555),
        ("NVIDIA A100-SXM4-80GB", 312, 2039),
        ("NVIDIA H100 80GB HBM3", 989, 3350),
        ("NVIDIA H100 PCIe", 756, 2000),
        ("NVIDIA H200", 989, 4800),
    ],
)
def test_a_gpu_is_known_by_the_drivers_name(name: str, fp16: float, gb_per_s: float) -> None:
    peak = peaks.find(name)
    assert peak is not None
    assert (peak.fp16, peak.gb_per_s) == (fp16, gb_per_s)
    assert peak.fp32 <= peak.tf32 <= peak.fp16


@pytest.mark.parametrize(
    "name", ["NVIDIA A10G", "NVIDIA L40S", "NVIDIA T400", "NVIDIA RTX A1000", "NVIDIA H200 NVL"]
)
def test_a_gpu_with_a_like_name_is_not_taken_for_another(name: str) -> None:
    assert peaks.find(name) is None
