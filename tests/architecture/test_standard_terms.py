"""A search for the standard term of a thing finds its module: in the file's name, or in the docstring at its top."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = {
    "admission control": "services/api/admission/__init__.py",
    "advisory lock": "shared/store/chain_locks.py",
    "audit": "shared/store/operations/audit.py",
    "backfill": "shared/store/patients/patient_hashes.py",
    "backoff": "services/worker/delivery/retry_policy.py",
    "brute-force": "services/api/limits/guessing.py",
    "bulkhead": "services/api/admission/bulkheads.py",
    "circuit breaker": "shared/platform/timeouts.py",
    "connection pool": "shared/platform/database.py",
    "CSRF": "services/api/console/session.py",
    "dead-lettered": "shared/store/delivery/parked.py",
    "deprecation": "services/api/forms/deprecation.py",
    "health check": "services/api/http/health.py",
    "heartbeat": "services/worker/heartbeats.py",
    "idempotency key": "services/api/intakes/idempotency.py",
    "keyset": "services/api/http/paging.py",
    "lease": "shared/store/triage_queue.py",
    "load shedding": "services/api/admission/__init__.py",
    "long poll": "services/api/intakes/long_poll.py",
    "migration": "shared/migrations/migrate.py",
    "OpenID Connect": "services/api/console/single_sign_on.py",
    "outbox": "shared/store/event_log/events.py",
    "periodic task": "services/worker/watchman/scheduler.py",
    "poison message": "services/worker/triage/sandbox.py",
    "rate limit": "services/api/limits/rate_limits.py",
    "retry policy": "services/worker/delivery/retry_policy.py",
    "retention": "shared/store/retention/runs.py",
    "security headers": "services/api/http/security_headers.py",
    "server-sent events": "services/api/events/sse.py",
    "session": "services/api/console/session.py",
    "signature": "services/worker/delivery/webhook.py",
    "SSRF": "services/worker/delivery/network.py",
    "supervisor": "services/embedded/supervisor/supervisor.py",
    "wake-up": "shared/platform/wake_ups/announcer.py",
}


@pytest.mark.parametrize("term", MODULES)
def test_a_standard_term_leads_to_its_module(term):
    path = ROOT / MODULES[term]
    name = path.stem.replace("_", " ")
    assert term.lower() in f"{name}\n{ast.get_docstring(ast.parse(path.read_text()))}".lower()
