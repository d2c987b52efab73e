-- Adds the intakes of a batch whose names are free, with the keys that name them.
-- As in the statement for one intake, the keys come first, and each waits for another transaction that takes the same
-- one. All transactions take names in one order, so none deadlocks: keys, then external ids, both sorted.
with line as materialized (
    select (new).*, idempotency_key
    from jsonb_to_recordset(cast(:lines as jsonb)) as line (new intakes, idempotency_key text)
    where (new).external_id is null or not exists (
        select from intakes
        where intakes.facility = (new).facility and intakes.external_id = (new).external_id
    )
), named as (
    insert into idempotency_keys (facility, key, intake_id)
    select facility, idempotency_key, id from line where idempotency_key is not null order by idempotency_key
    on conflict (facility, key) do update set intake_id = excluded.intake_id, created_at = now()
        where idempotency_keys.created_at <= now() - :kept
    returning intake_id
)
insert into intakes (id, facility, external_id, lane, today, answers, identity, mrn_hash, patient_hash,
    birth_date_hash, body_hash, request_id, traceparent)
select id, facility, external_id, lane, today, answers, identity, mrn_hash, patient_hash, birth_date_hash,
    body_hash, request_id, traceparent
from line where idempotency_key is null or id in (select intake_id from named)
order by external_id, id
on conflict do nothing
returning id, received_at
