"""Triage of intakes: Celery application, batches and sandbox."""
