"""The environment of `make test` also for a pytest that is run without make: a test's Ray would
listen on all interfaces otherwise.
"""

import os
import sys

from tests import shipped

# Ray reads it when it is imported, and what Ray starts inherits it.
assert "ray" not in sys.modules, "Ray was imported before the tests set its environment"
os.environ.update(shipped.environment())

# After the environment: it imports Ray.
from tests.service import address, client, collector, portrait, settings  # noqa: E402

__all__ = ["address", "client", "collector", "portrait", "settings"]
