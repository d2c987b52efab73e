"""Counts what triage decided, in workers and where the API triages a new version at once."""

from shared.platform.metrics import DECISIONS, FAILURES, RULES_FIRED
from shared.store.triage_outcome import rules
from shared.store.triage_queue import TriageOutcome


def count_decision(outcome: TriageOutcome) -> None:
    """Count an outcome that is stored: its decision, the rules that fired, and a failure where there is no decision."""
    DECISIONS.labels(outcome.queue, outcome.priority).inc()
    for rule in rules(outcome):
        RULES_FIRED.labels(rule).inc()
    if outcome.record is None:
        FAILURES.labels("triage").inc()
