"""A client of the service."""

import base64
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any

from cli.exits import Exit, Failure
from cli.outcome import Refusal
from cli.sheet_wish import SheetWish
from cli.wish import Wish
from pipeline.sheet_values import PrintSheet, SheetPhoto
from pipeline.values import Check, Encoding, IdPhoto, Report

_TIMEOUT_S = 120
# A full service is asked again for so long, as often as it says.
_PATIENCE_S = 120
_LOCKED = (401, 403)
_BUSY = (429, 503)


class Remote:
    """Makes and checks photos by POST /v1/photos, /v1/sheets and /v1/checks; safe to call from many
    threads.
    """

    def __init__(
        self, server: str, key: str | None = None, patience_s: float = _PATIENCE_S
    ) -> None:
        """``server``: its address, such as http://127.0.0.1:8000. Raises Failure for another."""
        if urllib.parse.urlsplit(server).scheme not in ("http", "https"):
            raise Failure(Exit.USAGE, f"{server} is not the address of a service: http://host:port")
        self._server = server.rstrip("/")
        self._key = key
        self._patience_s = patience_s

    def photos(self, data: bytes, wish: Wish) -> tuple[IdPhoto, ...]:
        """Every variant of the wish. Raises Refusal, and Failure where the service is not there."""
        answer = self._post("/v1/photos", wish.query(), data)
        return tuple(
            IdPhoto(
                base64.b64decode(photo["data_base64"]),
                photo["media_type"],
                tuple(photo["size_px"]),
                photo["document"],
                photo["background"],
                tuple(map(_check, photo["checks"])),
                photo["quality"],
            )
            for photo in answer["photos"]
        )

    def sheet(self, data: bytes, wish: SheetWish) -> PrintSheet:
        """The one sheet. Raises as ``photos`` does."""
        answer = self._post("/v1/sheets", wish.query(), data)
        file = answer["file"]
        return PrintSheet(
            base64.b64decode(answer["data_base64"]),
            answer["media_type"],
            answer["paper"],
            tuple(answer["size_mm"]),
            tuple(answer["size_px"]),
            tuple(
                SheetPhoto(
                    photo["document"],
                    photo["background"],
                    tuple(photo["size_mm"]),
                    photo["count"],
                    tuple(map(_check, photo["checks"])),
                )
                for photo in answer["photos"]
            ),
            answer["quality"],
            Encoding(file["dpi"], file["quality"], file["chroma"], file["progressive"]),
        )

    def reports(self, data: bytes, wish: Wish, as_is: bool) -> tuple[Report, ...]:
        """What is to be said about the photo, for each document. Raises as ``photos`` does."""
        query = [("document", name) for name in wish.documents]
        query += [("quality", wish.quality), ("as_is", str(as_is).lower())]
        answer = self._post("/v1/checks", query, data)
        return tuple(
            Report(report["document"], tuple(map(_check, report["checks"])))
            for report in answer["reports"]
        )

    def _post(self, route: str, query: Iterable[tuple[str, str]], data: bytes) -> Any:
        url = f"{self._server}{route}?{urllib.parse.urlencode(list(query))}"
        # An image of no special kind: the service looks at the bytes.
        headers = {"Content-Type": "image/*", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        give_up_at = time.monotonic() + self._patience_s
        while True:
            status, answer, retry_after_s = self._send(url, data, headers)
            if status < 300:
                return answer
            if status in _LOCKED:
                raise Failure(Exit.UNREACHABLE, f"{self._server}: {_problem(answer, status).error}")
            if status not in _BUSY or time.monotonic() + retry_after_s > give_up_at:
                raise _problem(answer, status)
            time.sleep(retry_after_s)

    def _send(self, url: str, data: bytes, headers: Mapping[str, str]) -> tuple[int, Any, float]:
        """Status, JSON (None where it is none), and the seconds of Retry-After."""
        request = urllib.request.Request(url, data, dict(headers), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
                return response.status, json.load(response), 0
        except urllib.error.HTTPError as error:
            with error:
                wait = error.headers.get("Retry-After", "")
                return error.code, _json(error.read()), float(wait) if wait.isdecimal() else 1
        except (OSError, http.client.HTTPException, ValueError) as error:
            # ValueError: something else answers there, and not in JSON.
            raise Failure(
                Exit.UNREACHABLE, f"No service answers at {self._server}: {error}"
            ) from None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _problem(answer: Any, status: int) -> Refusal:
    problem = answer if isinstance(answer, dict) else {}
    detail = str(problem.get("detail", f"The service answered with status {status}."))
    return Refusal(str(problem.get("code", f"http_{status}")), detail, str(problem.get("hint", "")))


def _check(info: Mapping[str, Any]) -> Check:
    hint = info["hint"] or {"en": "", "zh": ""}
    return Check(
        info["code"],
        info["title"]["en"],
        info["title"]["zh"],
        info["value"],
        info["unit"],
        info["min"],
        info["max"],
        info["result"],
        hint["en"],
        hint["zh"],
    )
