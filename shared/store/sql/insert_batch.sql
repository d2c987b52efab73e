-- Adds the intakes of a batch whose names are free, with the keys that name them.
-- As in the statement for one intake, the keys come first, and each waits for another transaction that takes the same
-- one; and a name is looked for as it may have been stored before. All transactions take names in one order, so none
-- deadlocks: keys, then external ids, both sorted.
with line as materialized (
    select (new).*, idempotency_key, earlier_keys, given_external_id
    from jsonb_to_recordset(cast(:lines as jsonb)) as line (
        new intakes, idempotency_key text, earlier_keys text[], given_external_id text, previous_external_id_hash bytea
    )
    where (given_external_id is null or not exists (
        select from intakes
        where intakes.facility = (new).facility and intakes.external_id_hash = (new).external_id_hash
    )) and (given_external_id is null or not exists (
        select from intakes
        where intakes.facility = (new).facility and intakes.external_id = given_external_id
    )) and (previous_external_id_hash is null or not exists (
        select from intakes
        where intakes.facility = (new).facility and intakes.external_id_hash = previous_external_id_hash
    ))
), named as (
    insert into idempotency_keys (facility, key, intake_id)
    select facility, idempotency_key, id from line
    where idempotency_key is not null and (idempotency_key is null or not exists (
        select from idempotency_keys
        where idempotency_keys.facility = line.facility and idempotency_keys.key = any(line.earlier_keys)
            and idempotency_keys.created_at > now() - :kept
    ))
    order by idempotency_key
    on conflict (facility, key) do update set intake_id = excluded.intake_id, created_at = now()
        where idempotency_keys.created_at <= now() - :kept
    returning intake_id
)
insert into intakes (id, facility, external_id, external_id_hash, external_id_sealed, lane, today, answers, identity,
    mrn_hash, patient_hash, birth_date_hash, body_hash, request_id, traceparent)
select id, facility, external_id, external_id_hash, external_id_sealed, lane, today, answers, identity,
    mrn_hash, patient_hash, birth_date_hash, body_hash, request_id, traceparent
from line where idempotency_key is null or id in (select intake_id from named)
order by given_external_id, id
on conflict do nothing
returning id, received_at
