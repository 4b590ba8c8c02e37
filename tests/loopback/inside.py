"""What holds where only the loopback address exists: ``test_loopback.py`` runs these tests there.

The service needs no network, listens to nobody else, and keeps nothing of a photo.
"""

import errno
import io
import secrets
import socket
import time
import urllib.error
import urllib.request

import grpc
import httpx
import pytest
from PIL import Image

from tests.loopback.conftest import ROOT, Service
from tests.loopback.traces import (
    command_lines,
    files_with,
    listeners,
    open_files_with,
    processes,
)

PORTRAIT = ROOT / "tests" / "data" / "astronaut.png"
ORDER = {"document": "cn-1-inch"}
MARKER = f"marker-{secrets.token_hex(16)}".encode()
# Part of a row of the photo as its pixels are in memory: what a spilled object would hold.
PIXELS = Image.open(PORTRAIT).convert("RGB").crop((200, 100, 232, 101)).tobytes()
PUBLIC = [("1.1.1.1", 443), ("8.8.8.8", 53), ("2606:4700:4700::1111", 443)]


def jpeg(picture: Image.Image, comments: int = 1) -> bytes:
    """A JPEG with the marker in its EXIF data and in comments of 60 kB each."""
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = MARKER.decode()  # ImageDescription, Artist
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", exif=exif)
    comment = (MARKER + b" ") * (60_000 // (len(MARKER) + 1))
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    return file.getvalue()[:2] + segment * comments + file.getvalue()[2:]


GOOD = jpeg(Image.open(PORTRAIT))
LARGE = jpeg(Image.open(PORTRAIT), comments=50)  # 3 MB
FACELESS = jpeg(Image.new("RGB", (600, 800), "white"))
UPLOADS = {
    "good": (GOOD, 200),
    "large": (LARGE, 200),
    "png": (PORTRAIT.read_bytes(), 200),
    "faceless": (FACELESS, 422),
    "broken": (LARGE[: len(LARGE) - 10_000], 400),
    "no picture": (MARKER * 50_000, 415),
    "too large": (MARKER * 600_000, 413),
}


@pytest.mark.parametrize("address", PUBLIC, ids=lambda address: str(address[0]))
def test_there_is_no_network(address: tuple[str, int]) -> None:
    assert [name for _, name in socket.if_nameindex()] == ["lo"]
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as outside:
        outside.settimeout(5)
        with pytest.raises(OSError) as refused:
            outside.connect(address)
    assert refused.value.errno in (errno.ENETUNREACH, errno.EADDRNOTAVAIL)


@pytest.mark.parametrize("name", UPLOADS)
@pytest.mark.parametrize("form", [True, False], ids=["multipart", "raw"])
def test_photos_are_answered_and_answers_hold_no_metadata(
    service: Service, name: str, form: bool
) -> None:
    photo, status = UPLOADS[name]
    with service.client() as client:
        if form:
            files = {"photo": (f"{MARKER.decode()}.jpg", photo, "image/jpeg")}
            kept = {**ORDER, "reuse": "true"}
            answer = client.post("/v1/photos", files=files, data=kept)
        else:
            answer = client.post("/v1/photos", content=photo, params=ORDER)
    assert answer.status_code == status, answer.text
    assert MARKER not in answer.content + str(answer.headers).encode()
    if status == 200:
        picture = Image.open(io.BytesIO(answer.content))
        assert not picture.getexif()
        assert picture.info.keys() <= {"dpi", "jfif", "jfif_density", "jfif_unit", "jfif_version"}


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "idphoto_nobody"}])
def test_nobody_without_a_key_is_let_in(service: Service, headers: dict[str, str]) -> None:
    answer = httpx.post(f"{service.url}/v1/photos", content=LARGE, params=ORDER, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_an_upload_on_its_way_is_in_no_file(service: Service) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
    body = head + LARGE + b"\r\n--x--\r\n"
    request = (
        "POST /v1/photos?document=cn-1-inch HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"X-Api-Key: {service.key}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    url = httpx.URL(service.url)
    with socket.create_connection((url.host, url.port), timeout=120) as connection:
        connection.sendall(request.encode() + body[:-50_000])
        time.sleep(3)  # until what was sent has reached the Gateway
        held = list(open_files_with([MARKER]))
        connection.sendall(body[-50_000:])
        answer = connection.recv(100)
    assert answer.startswith(b"HTTP/1.1 200")
    assert not held


def test_the_search_finds_what_is_there(service: Service) -> None:
    needle = secrets.token_hex(16).encode()
    (service.folder / "planted").write_bytes(bytes(5_000_000) + needle)
    found = files_with([needle], service.folder, service.started_at)
    assert [path.name for path in found] == ["planted"]
    with (service.folder / "gone").open("w+b") as file:
        file.write(needle)
        file.flush()
        (service.folder / "gone").unlink()
        assert list(open_files_with([needle]))


# After all uploads: tests run in the order of this file.
def test_nothing_of_a_photo_is_in_a_file_or_log(service: Service) -> None:
    log = service.log.read_text("utf-8", "replace")
    assert " key=test " in log  # what is searched is what the service wrote
    needles = (MARKER, PIXELS, service.key.encode())
    assert not list(files_with(needles, service.folder, service.started_at))
    assert not list(open_files_with(needles))


def test_a_full_object_store_overflows_into_memory(service: Service) -> None:
    raylets = [line for line in command_lines() if "--fallback_directory=" in line]
    assert raylets
    for line in raylets:
        assert "--fallback_directory=/dev/shm" in line.split("\0")


def test_only_replicas_listen_to_other_machines(service: Service) -> None:
    """Ray Serve binds their port for calls between deployments to every address, and no setting
    changes that; docs/security.md says so.
    """
    for port, command in listeners():
        assert command.startswith("ray::ServeReplica"), port


def test_the_port_of_a_replica_asks_for_ray_s_token(service: Service) -> None:
    ports = [port for port, _ in listeners()]
    assert ports
    for port in ports:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary("/ray.serve.ASGIService/HandleRequest")
            with pytest.raises(grpc.RpcError) as refused:
                call(b"", timeout=20)
            assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_ray_s_dashboard_asks_for_the_token(service: Service) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen("http://127.0.0.1:8265/api/serve/applications/", timeout=20)
    assert refused.value.code == 401
    refused.value.close()


def test_replicas_are_started_in_their_environment(service: Service) -> None:
    """Ray drops what an application gives where a deployment gives something of its own."""
    replicas = [
        process
        for process in processes()
        if (process / "cmdline").read_bytes().startswith(b"ray::ServeReplica:")
    ]
    assert len(replicas) >= 5
    for replica in replicas:
        environment = (replica / "environ").read_bytes().split(b"\0")
        assert b"MALLOC_ARENA_MAX=4" in environment
        assert b"RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD=0" in environment
