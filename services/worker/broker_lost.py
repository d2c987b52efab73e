"""Rewords what Celery logs while the broker does not answer: says where it is, and the class of the error.

Celery puts address and error into the arguments of its message, which the log leaves out as it does for every library.
"""

import logging

from shared.platform.broker import address
from shared.platform.settings import Settings

LOGGER = "celery.worker.consumer.consumer"
LOST = ("consumer: Cannot connect to ", "consumer: Connection to broker lost.")


class BrokerLost(logging.Filter):
    """Lets every record through, those about a lost broker with our wording."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._address = address(settings.redis_url)

    def filter(self, record: logging.LogRecord) -> bool:
        """Reword the record if it is about the broker."""
        if isinstance(record.msg, str) and record.msg.startswith(LOST):
            error = next((each for each in _arguments(record) if isinstance(each, BaseException)), None)
            record.msg, record.args, record.exc_info = "the broker does not answer", (), None
            record.__dict__.update({"broker": self._address} | ({"error": type(error).__name__} if error else {}))
        return True


def _arguments(record: logging.LogRecord) -> tuple[object, ...]:
    return record.args if isinstance(record.args, tuple) else ()


def name_the_broker(settings: Settings) -> None:
    """Let this process's log say which broker does not answer."""
    logging.getLogger(LOGGER).addFilter(BrokerLost(settings))
