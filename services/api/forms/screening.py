"""Screens a form before it is stored: chooses its lane by the rules of triage, or `priority` where that fails."""

import structlog

from services.api.context import AppContext
from shared.clinical.form import Form
from shared.clinical.triage import screen
from shared.platform.metrics import FAILURES
from shared.platform.task_queues import Lane

log = structlog.get_logger(__name__)


def choose_lane(context: AppContext, form: Form) -> Lane:
    """Return the lane of a form; `priority` if screening raises, as the form may still be a red flag."""
    try:
        return screen(form, context.protocol)
    except Exception as error:  # noqa: BLE001 - whatever it is, the form may still be a red flag
        log.error("screen.failed", error=type(error).__name__)
        FAILURES.labels("screen").inc()
        return "priority"
