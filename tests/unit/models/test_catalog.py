import re
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from models import catalog
from models.catalog import Net, NpmMembers, Url, Weights, WheelMember
from models.weights import DEFAULT_NETS

FILES = [file for net in catalog.nets() for file in net.files]


def test_names_are_unique() -> None:
    names = [net.name for net in catalog.nets()]
    assert len(set(names)) == len(names)


def test_file_names_are_unique_because_all_nets_share_a_folder() -> None:
    names = [file.file_name for file in FILES]
    assert len(set(names)) == len(names)


def test_find_returns_the_row_of_that_name() -> None:
    net = catalog.find("u2netp")
    assert net.family == "u2net"
    assert net.tested
    assert [file.name for file in net.files] == ["u2netp"]
    assert net.interface is not None
    assert net.interface.size_px == 320
    assert net.interface.scale == "max"
    assert net.interface.output == "1959"


def test_the_face_net_has_three_files_and_no_matting_interface() -> None:
    net = catalog.find("mtcnn")
    assert [file.name for file in net.files] == ["pnet", "rnet", "onet"]
    assert net.interface is None


def test_the_person_net_takes_the_picture_as_it_is() -> None:
    interface = catalog.find("selfie").interface
    assert interface is not None
    assert (interface.size_px, interface.scale, interface.activation) == (256, "255", "none")
    assert (interface.mean, interface.std) == ((0, 0, 0), (1, 1, 1))


def test_a_net_that_counts_from_minus_a_half_is_written_in_the_catalogue_s_terms() -> None:
    interface = catalog.find("isnet-imgly").interface
    assert interface is not None
    values = np.arange(256)
    taken = (values / 255 - interface.mean[0]) / interface.std[0]
    np.testing.assert_allclose(taken, (values - 128) / 256, atol=1e-12)


def test_every_machine_takes_the_same_file_out_of_a_wheel_that_is_not_for_every_one() -> None:
    sources = {
        source for net in ("selfie", "facemesh") for source in catalog.find(net).files[0].sources
    }
    assert {(source.python, source.platform) for source in sources if source.kind == "wheel"} == {
        ("3.11", "manylinux_2_28_x86_64")
    }


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'u3net'.*u2netp, mtcnn"):
        catalog.find("u3net")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.file_name)
def test_every_file_is_pinned(file: Weights) -> None:
    assert re.fullmatch("[0-9a-f]{64}", file.sha256)
    assert file.size_bytes > 0
    assert file.sources
    for source in file.sources:
        match source:
            case WheelMember():
                assert re.fullmatch(r"[\w.-]+==[\w.]+", source.requirement)
                assert (source.python is None) == (source.platform is None)
            case NpmMembers():
                assert re.fullmatch(r"(@[\w.-]+/)?[\w.-]+@\d+\.\d+\.\d+", source.package)
                assert source.members
                assert all(member.startswith("package/") for member in source.members)
            case Url():
                assert source.url.startswith("https://")


@pytest.mark.parametrize("net", catalog.nets(), ids=lambda net: net.name)
def test_every_net_says_its_licence_and_how_far_it_can_be_trusted(net: Net) -> None:
    assert net.about
    assert net.licence in {"Apache-2.0", "MIT"} or (
        net.name not in DEFAULT_NETS and "Never a default." in net.licence_note
    )
    assert net.licence_url.startswith("https://")
    assert ("never downloaded" in net.checksum_source) == (not net.tested)
    others = {"mtcnn", "facemesh", "blazeface", "iris", "efficientnet-lite0"}
    assert (net.interface is None) == (net.name in others)


def test_a_row_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        catalog.find("u2netp").tested = False  # type: ignore[misc]
