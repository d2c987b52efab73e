"""The Celery settings of every worker, each beside its reason.

Messages are wake-ups. Nothing here has to keep one: a task asks the database what there is to do.
"""

from typing import Any

from kombu.entity import Queue

WAKE_UP_REQUEST = "services.worker.celery_request:WakeUpRequest"

CONFIGURATION: dict[str, Any] = {
    "task_serializer": "json",
    "accept_content": ["json"],  # a message can never become code
    "task_ignore_result": True,  # the row is the result
    "worker_enable_remote_control": False,  # nobody steers a worker through the broker
    "worker_send_task_events": False,
    "task_create_missing_queues": False,  # a misspelt queue is an error, not a queue that nobody reads
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # the broker comes back; the worker waits
    "broker_channel_error_retry": True,  # a full broker is an outage, not a reason to exit
    "broker_transport_options": {
        "health_check_interval": 10,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
    },
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}


def task_queue(name: str) -> Queue:
    """Return a task queue whose messages are taken for good.

    Acknowledged ones are worth nothing here, and cost a red flag a question to the broker before its task starts. Each
    acknowledgement that the broker loses would keep a worker from its next message, although the broker is back.
    """
    return Queue(name, no_ack=True)  # type: ignore[no-untyped-call]
