"""Pages are tested without the verdicts that come with Lectern, unless a test adds some."""

from tests.support.committed import committed

__all__ = ["committed"]
