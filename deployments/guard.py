"""Who gets in: decided from the head of a request, before its body is read."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from deployments import note
from deployments.access import Keyring, Shares
from deployments.problems import problem
from deployments.settings import Key, Settings
from pipeline.errors import Forbidden, IdPhotoError

# All else needs a key where there are keys: a route that is added later, too.
OPEN_PATHS = frozenset({"/", "/docs", "/openapi.json", "/healthz", "/readyz"})
OPEN_FOLDERS = ("/static-offline-docs/", "/web/")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY_VIOLATION = 1008


class Guard:
    """Lets requests through that hold a key and do not come from a foreign web page.

    ``request.state.key_name`` is then the name of the key, or None where the service is open.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._keyring = Keyring(settings.keys)
        self._origins = frozenset(settings.allowed_origins)
        self._shares = Shares()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or is_open(scope):
            await self._app(scope, receive, send)
            return
        # Pages may read, which their browser keeps from foreign ones; a WebSocket it does not.
        acts = scope["type"] == "websocket" or scope["method"] not in _READING
        counts = scope["type"] == "http" and acts
        try:
            key = self._admit(HTTPConnection(scope), acts)
            if key and counts:
                self._shares.take(key)
        except IdPhotoError as refusal:
            await _refuse(refusal, scope, receive, send)
            return
        if key:
            note.of(scope).key_name = key.name
        state = {**scope.get("state", {}), "key_name": key.name if key else None}
        try:
            await self._app({**scope, "state": state}, receive, send)
        finally:
            if key and counts:
                self._shares.give_back(key)

    def _admit(self, connection: HTTPConnection, acts: bool) -> Key | None:
        if acts and is_foreign(connection) and connection.headers["origin"] not in self._origins:
            raise Forbidden("foreign_origin", origin=connection.headers["origin"][:100])
        return self._keyring.holder(connection.headers)


def is_open(scope: Scope) -> bool:
    """Whether the path needs no key: health checks, the page, and the documentation."""
    path = str(scope["path"]).removeprefix(scope.get("root_path", "")) or "/"
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


def is_foreign(connection: HTTPConnection) -> bool:
    """Whether a browser sends this for a page of another origin, which could otherwise make every
    visitor's browser post to a service that only their machine can reach.

    Browsers say so in ``Sec-Fetch-Site``, but not over plain HTTP to other machines: there the
    origin is compared with the host. Clients that are not browsers send neither.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    return urlsplit(origin).netloc != connection.headers.get("host")


async def _refuse(error: IdPhotoError, scope: Scope, receive: Receive, send: Send) -> None:
    """The problem document; to a WebSocket, which is not accepted then, what becomes a 403."""
    if scope["type"] == "websocket":
        await WebSocketClose(_POLICY_VIOLATION)(scope, receive, send)
    else:
        await problem(Request(scope), error)(scope, receive, send)
