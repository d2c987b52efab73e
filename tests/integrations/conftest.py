"""A `referrals up` for each module, with its first keys."""

from tests.integration.conftest import home, keys, running

__all__ = ["home", "keys", "running"]
