-- Adds events in the order given, and the deliveries that they lead to.
with given as (
    select * from rows from (
        jsonb_to_recordset(cast(:events as jsonb)) as (
            type text, referral_id uuid, intake_id uuid, by text, data jsonb, actor jsonb
        )
    ) with ordinality as given (type, referral_id, intake_id, by, data, actor, place)
), new_event as (
    insert into events (type, referral_id, intake_id, by, data, actor)
    select type, referral_id, intake_id, by, coalesce(data, '{}'), actor from given order by place
    returning *
), subject as not materialized (
    select * from referrals
)
$fan_out
