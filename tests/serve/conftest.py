"""The service that the tests here ask; tests/web shares it."""

from tests.service import DATA, ROOT, eventually

__all__ = ["DATA", "ROOT", "eventually"]
