"""Says what each database role may do to each table: the service adds rows and changes what moves, never the past.

Three roles stand beside the owner of the schema. The service can delete only what is kept for a time, and rewrite
nothing that was recorded: events, decisions, answers, corrections and accesses.
"""

from collections.abc import Iterator, Sequence

from shared.migrations.head import TABLE_OF_0_1_0, VERSION_TABLE
from shared.tables import Table

SERVICE, READER, MAINTENANCE = "psoas_service", "psoas_reader", "psoas_maintenance"
ROLES = (SERVICE, READER, MAINTENANCE)

# What is recorded once. Events and accesses get their number and digest afterwards, which a trigger allows once.
ONLY_ADDED: dict[str, Sequence[str]] = {
    "events": ("number", "digest"),
    "event_texts": (),
    "access_log": ("number", "digest"),
    "access_log_patients": (),
    "chain_seals": (),
    "key_seals": (),
    "referral_seals": (),
    "decisions": (),
    "delivery_attempts": (),
    "identity_corrections": (),
}
# What only maintenance changes, and what it may do there; to the service these are readable.
MAINTAINED: dict[str, str] = {
    "retention_runs": "select, insert, update",
    "retention_holds": "select, insert, update",
    "event_erasures": "select, insert, update (run_id, at, rest)",
}
# What maintenance may do to the other tables: seal and hash anew, erase what is old, and record it as events.
ERASED_FROM: dict[str, str] = {
    "intakes": "update (identity, mrn_hash, patient_hash, birth_date_hash, external_id, external_id_hash, "
    "external_id_sealed, identity_erased_at), delete",
    "event_texts": "update (sealed), delete",
    "identity_corrections": "update (reason, before, after), delete",
    "destinations": "update (secret)",
    "referrals": "update (mrn_hash, patient_hash), delete",
    "decisions": "delete",
    "deliveries": "delete",
    "delivery_attempts": "delete",
    "idempotency_keys": "delete",
    "referral_seals": "delete",
    "access_log_patients": "insert",
    "queue_changes": "insert",
    "events": "insert, update (data)",
}
# What stays as it was stored, in tables whose other columns the service changes.
FIXED_COLUMNS = {
    "intakes": {
        *("id", "facility", "external_id", "external_id_hash", "external_id_sealed", "lane", "received_at", "today"),
        *("answers", "body_hash", "request_id", "traceparent", "amends", "first_version", "identity_erased_at"),
    },
    "referrals": {"id", "intake_id", "facility"},  # `demo` sets the times of its own cases back
    "api_keys": {"id", "secret_hash", "role", "facility", "queues", "person_id", "created_at"},
    "people": {"id", "name", "role", "facility", "queues", "login", "created_at"},
    "facilities": {"name", "kind", "created_at"},  # one of kind `test` leaves the worklists with all its referrals
    "deliveries": {"id", "destination_id", "referral_id", "event_id", "queue", "payload", "created_at"},
}
# What is kept for a time only, or summed up.
DELETED_FROM = {"console_sessions", "failed_authentications", "heartbeats", "idempotency_keys", "queue_changes"}
UNREADABLE = {"console_sessions"}  # to the reader: what opens a session


def service_privileges(table: str) -> str:
    """Return what the service may do to a table of ours, as GRANT says it."""
    if table in MAINTAINED:
        return "select"
    if table in ONLY_ADDED:
        columns: Sequence[str] = ONLY_ADDED[table]
    else:
        fixed = FIXED_COLUMNS.get(table, set())
        columns = [column.name for column in Table.metadata.tables[table].columns if column.name not in fixed]
    changed = ", ".join(f'"{name}"' for name in columns)
    delete = ", delete" if table in DELETED_FROM else ""
    return f"select, insert{f', update ({changed})' if changed else ''}{delete}"


def statements() -> Iterator[str]:
    """Yield the statements that give every role what it may do in the present schema, and take away all else."""
    everyone = ", ".join(ROLES)
    yield f"revoke all on all tables in schema public from {everyone}"
    yield f"grant usage on schema public to {everyone}"
    yield f"grant select on {VERSION_TABLE}, {TABLE_OF_0_1_0} to {everyone}"
    for table in Table.metadata.tables:
        yield f'grant {service_privileges(table)} on "{table}" to {SERVICE}'
        maintains = ", ".join(filter(None, (MAINTAINED.get(table), ERASED_FROM.get(table))))
        if maintains:
            yield f'grant {maintains} on "{table}" to {MAINTENANCE}'
        yield f'grant select on "{table}" to {MAINTENANCE}{"" if table in UNREADABLE else f", {READER}"}'
