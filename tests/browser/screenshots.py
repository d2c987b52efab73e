"""Takes the console's pictures, with ids that are the same each time: `python -m tests.browser.screenshots`."""

import itertools
from importlib import import_module
from uuid import UUID

import uuid_utils.compat

MOMENT = 1_773_324_120_000 << 80 | 7 << 76 | 2 << 62  # the time and the kind of every id
_numbers = itertools.count(1)


def uuid7() -> UUID:
    """Return the next id; its last digits, by which people call a case, look as those of a real one."""
    number = next(_numbers)
    return UUID(int=MOMENT | number << 32 | number * 0x9E3779B1 % (1 << 32))


if __name__ == "__main__":
    uuid_utils.compat.uuid7 = uuid7  # before anything imports it
    import_module("tests.browser.pictures").main()
