"""Tokens, and what is kept under them."""

import asyncio
import base64
import time
from typing import Any

import numpy as np
import pytest
from starlette.requests import Request

from deployments import cutouts, forms, reuse
from deployments.jobs import orders as job_orders
from deployments.settings import Cutouts, Settings
from deployments.shelf import Shelf
from deployments.tokens import Cutout, Seal
from pipeline import reuse as reuse_pipeline
from pipeline.errors import BadOrder, Gone
from pipeline.geometry import measure_head
from pipeline.values import Portrait
from pipeline.variants import Subject
from tests.unit.pipeline.people import draw

SEAL = Seal(b"a secret")


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf(clock: Clock) -> Shelf[str]:
    return Shelf(60, 100, clock)


def test_a_token_opens_to_its_id() -> None:
    id, token = SEAL.issue()
    assert SEAL.open(token) == Seal(b"a secret").open(token) == id
    assert SEAL.issue()[1] != token


def forged() -> list[str]:
    token = SEAL.issue()[1]
    other = "B" if token[5] != "B" else "C"
    return [
        *("", "AAAA", "\u00e9" * 64, token[:-4], token + "AAAA", token + "\n", " " + token),
        *(token[:5] + other + token[6:], Seal(b"another").issue()[1], token.swapcase()),
        base64.urlsafe_b64encode(bytes(48)).decode(),
    ]


@pytest.mark.parametrize("token", forged())
def test_a_forged_token_is_refused(token: str) -> None:
    with pytest.raises(BadOrder) as refused:
        SEAL.open(token)
    assert refused.value.code == "bad_cutout"


def test_a_value_ends_at_its_time_however_often_it_is_used(shelf: Shelf[str], clock: Clock) -> None:
    assert shelf.put(b"a", "first", 10)
    clock.now_s += 59
    assert shelf.find(b"a") == ("first", 1)
    assert shelf.put(b"b", "second", 10)
    clock.now_s += 1
    assert shelf.find(b"a") is None
    assert (len(shelf), shelf.held_bytes) == (1, 10)
    assert shelf.expire() == 59


def test_what_is_over_its_time_is_let_go_without_being_asked_for(
    shelf: Shelf[str], clock: Clock
) -> None:
    shelf.put(b"a", "first", 10)
    clock.now_s += 60
    assert shelf.expire() is None
    assert (len(shelf), shelf.held_bytes) == (0, 0)


def test_the_least_recently_used_goes_first(shelf: Shelf[str]) -> None:
    for id in (b"a", b"b", b"c"):
        shelf.put(id, id.decode(), 30)
    shelf.find(b"a")
    assert shelf.put(b"d", "d", 40)
    assert [id for id in (b"a", b"b", b"c", b"d") if shelf.find(id)] == [b"a", b"c", b"d"]
    assert shelf.held_bytes == 100


def test_a_value_can_end_earlier_and_be_replaced(shelf: Shelf[str], clock: Clock) -> None:
    shelf.put(b"a", "first", 60, 5)
    assert shelf.put(b"a", "second", 60, 10)
    assert shelf.held_bytes == 60
    clock.now_s += 5
    assert shelf.find(b"a") == ("second", 5)
    assert shelf.put(b"a", "third", 60, 1000)
    assert shelf.expire() == 60


def test_what_is_larger_than_all_room_is_not_kept(shelf: Shelf[str]) -> None:
    shelf.put(b"a", "first", 10)
    assert not shelf.put(b"b", "second", 101)
    assert shelf.find(b"a") and not shelf.find(b"b")


@pytest.mark.parametrize("keep_minutes", [0, -1, 1441, float("nan"), float("inf")])
def test_a_cutout_is_not_kept_for_ever(keep_minutes: float) -> None:
    with pytest.raises(ValueError, match="keep_minutes"):
        Cutouts(keep_minutes=keep_minutes)


def test_the_defaults_are_ten_minutes_and_half_a_gigabyte() -> None:
    keeping = Settings().cutouts
    assert keeping
    assert (keeping.keep_s, keeping.max_bytes) == (600, 512_000_000)
    assert Settings.model_validate({"cutouts": None}).cutouts is None


class Studio:
    """Answers with what it was asked for."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(**settings)

    async def photos(self, *asked: object) -> object:
        return "photos", *asked

    async def kept_photos(self, *asked: object) -> object:
        return ("kept", *asked), None

    async def again(self, *asked: object) -> object:
        return ("again", *asked), None


def made(data: bytes, fields: dict[str, str], **settings: Any) -> Any:
    """What the route does with a request of the key "shop"."""
    form = forms.parse(reuse.PhotoRequest, list({"document": "cn-1-inch", **fields}.items()))
    request = Request({"type": "http", "state": {"key_name": "shop"}})
    order = forms.photo_order(form, 10)
    studio: Any = Studio(**settings)
    return asyncio.run(reuse.photos(studio, request, data, form, order, {}))[0]


def test_what_a_request_becomes() -> None:
    assert made(b"photo", {})[:2] == ("photos", b"photo")
    kept = made(b"photo", {"reuse": "true"})
    assert (kept[:2], kept[3]) == (("kept", b"photo"), "shop")
    again = made(b"", {"cutout": "TOKEN"})
    assert (again[:2], again[3]) == (("again", "TOKEN"), "shop")


@pytest.mark.parametrize(
    ("data", "fields", "settings", "name"),
    [
        (b"photo", {"cutout": "TOKEN"}, {}, "cutout"),
        (b"photo", {"reuse": "true"}, {"cutouts": None}, "reuse"),
        (b"", {"cutout": "TOKEN"}, {"cutouts": None}, "cutout"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(
    data: bytes, fields: dict[str, str], settings: dict[str, Any], name: str
) -> None:
    with pytest.raises(BadOrder) as refused:
        made(data, fields, **settings)
    assert (refused.value.code, refused.value.details["name"]) == ("bad_parameter", name)


@pytest.mark.parametrize("field", ["reuse", "cutout"])
def test_a_job_keeps_no_cutouts(field: str) -> None:
    with pytest.raises(BadOrder, match=field):
        job_orders.parse([("document", "cn-1-inch"), (field, "true")])


def kept() -> reuse_pipeline.Kept:
    """A drawn person before a wall."""
    person = draw(cheeks=2.4)
    width, height = person.photo_size_px
    region = np.full((height, width, 3), 200, np.uint8)
    portrait = Portrait(region, (0, 0), (width, height), (width, height), 1, person.face, {})
    head = measure_head(person.face, person.matte)
    return reuse_pipeline.Kept(Subject(portrait, person.face, person.matte, head, ()), "best")


def test_a_cutout_is_one_keys_own_and_ends_by_itself() -> None:
    order = forms.photo_order(forms.parse(reuse.PhotoRequest, [("document", "cn-1-inch")]), 10)
    late = time.time() + 60

    async def life() -> None:
        holder = cutouts.Cutouts(Settings(), Cutouts(keep_minutes=1 / 60), b"a secret")
        cutout = await holder.keep(kept(), "shop", late)
        assert isinstance(cutout, Cutout)
        assert cutout.expires_at == pytest.approx(time.time() + 1, abs=0.5)
        id = SEAL.open(cutout.token)
        for _ in range(2):
            (photo,), told = await holder.photo(id, "shop", order, late)
            assert (photo.size_px, told.token) == ((295, 413), cutout.token)
        for owner in ("friend", None):
            assert is_gone(await holder.photo(id, owner, order, late))
        assert holder.held_bytes > 1_000_000
        await asyncio.sleep(1.1)
        assert holder.held_bytes == 0
        assert is_gone(await holder.photo(id, "shop", order, late))

    asyncio.run(life())


def is_gone(answer: object) -> bool:
    return isinstance(answer, Gone) and answer.code == "cutout_gone"


def test_what_has_no_room_is_not_kept() -> None:
    async def life() -> None:
        holder = cutouts.Cutouts(Settings(), Cutouts(max_mb=1), b"a secret")
        assert await holder.keep(kept(), None, time.time() + 60) is None

    asyncio.run(life())
