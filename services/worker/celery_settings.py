"""The Celery settings of every worker, each beside its reason.

Messages are hints. Nothing here has to keep one: a task asks the database what there is to do.
"""

from typing import Any

CONFIGURATION: dict[str, Any] = {
    "task_serializer": "json",
    "accept_content": ["json"],  # a message can never become code
    "task_ignore_result": True,  # the row is the result
    "task_reject_on_worker_lost": False,  # a task that kills its process is not run again and again
    "worker_prefetch_multiplier": 1,  # no message waits in a busy worker
    "worker_enable_prefetch_count_reduction": False,  # it holds one message anyway, before and after an outage
    "worker_enable_remote_control": False,  # nobody steers a worker through the broker
    "worker_send_task_events": False,
    "task_create_missing_queues": False,  # a misspelt queue is an error, not a queue that nobody reads
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # the broker comes back; the worker waits
    "broker_channel_error_retry": True,  # a full broker is an outage, not a reason to exit
    "broker_transport_options": {
        "visibility_timeout": 120,  # seconds, beyond every time limit
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "health_check_interval": 10,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
    },
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}
