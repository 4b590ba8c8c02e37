"""The environment that every replica is started in."""

from collections.abc import Mapping
from typing import Any

from deployments.chain import MESSAGE_BYTES

_OURS = {
    # Keeps freed memory for the next photo: given back and faulted in anew, each array of a
    # megabyte costs a tenth of a millisecond, a fifth of all that a photo costs.
    "MALLOC_TRIM_THRESHOLD_": "134217728",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_ARENA_MAX": "4",
    # The steps work in threads of their own; Ray's further ones only add hand-overs.
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
    "RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0",
    "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": str(MESSAGE_BYTES),
}


def of_replica(application: Mapping[str, Any]) -> dict[str, Any]:
    """The ``runtime_env`` of a deployment's actors, from that of its ``application``.

    Ray takes the application's only where a deployment has none of its own, so it is joined here;
    what it sets counts.
    """
    variables = {**_OURS, **application.get("env_vars", {})}
    return {**application, "env_vars": variables}
