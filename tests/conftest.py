"""The environment that the service is shipped with: a test's Ray would listen on all interfaces
otherwise.
"""

import os
import sys

from cli import serve

# Ray reads it when it is imported, and what Ray starts inherits it.
assert "ray" not in sys.modules, "Ray was imported before the tests set its environment"
os.environ.update(serve.environment())

# After the environment: it imports Ray.
from tests.service import address, client, collector, portrait, settings  # noqa: E402

__all__ = ["address", "client", "collector", "portrait", "settings"]
