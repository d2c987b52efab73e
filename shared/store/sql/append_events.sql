-- Adds events in the order given, the sealed texts that belong to them, and the deliveries that they lead to.
with given as (
    select * from rows from (
        jsonb_to_recordset(cast(:events as jsonb)) as (
            type text, referral_id uuid, intake_id uuid, by text, data jsonb, actor jsonb, text_id uuid, text bytea
        )
    ) with ordinality as given (type, referral_id, intake_id, by, data, actor, text_id, text, place)
), new_text as (
    insert into event_texts (id, referral_id, sealed)
    select text_id, referral_id, text from given where text_id is not null
), new_event as (
    insert into events (type, referral_id, intake_id, by, data, actor, text_id)
    select type, referral_id, intake_id, by, coalesce(data, '{}'), actor, text_id from given order by place
    returning *
), subject as not materialized (
    select * from referrals
)
$fan_out
