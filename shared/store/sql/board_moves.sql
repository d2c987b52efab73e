-- Finds each recent event that changed whether a case waits, with whether it waited before.
with newest as (select id, type, at, referral_id from events order by id desc limit :most)
select newest.at, newest.type = any(:closed) as closed, newest.type = any(:entered) as waits,
    coalesce(before.type = any(:entered), false) as waited, referrals.acknowledge_by, referrals.created_at
from newest join referrals on referrals.id = newest.referral_id
left join lateral (
    select type from events
    where events.referral_id = newest.referral_id and events.id < newest.id and events.type = any(:moves)
    order by events.id desc limit 1
) as before on true
where newest.type = any(:moves) and newest.at >= :since and (not referrals.test or referrals.facility = :facility)
    and (cast(:facility as text) is null or referrals.facility = :facility)
    and (cast(:queues as text[]) is null or referrals.queue = any(:queues))
