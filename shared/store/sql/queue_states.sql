-- Counts the open referrals of each queue and priority, of the facilities that $seen selects; overdue ones where $counted.
-- What is open is the sum of its changes, the oldest is one step into an index for each facility, and only what is
-- overdue is counted, in an index.
with place as (
    select queue, priority, sum(change) as open, sum(change) filter (where status = 'queued') as unacknowledged
    from queue_changes where $seen
    group by queue, priority having sum(change) > 0
), oldest as (
    select here.queue, min(created_at) as since
    from (select distinct facility, queue from queue_changes where $seen) as here
    cross join lateral (
        select created_at from referrals
        where referrals.facility = here.facility and referrals.queue = here.queue
            and $is_open
        order by created_at limit 1
    ) as first
    group by here.queue
)
select place.queue, priority, open, coalesce(unacknowledged, 0),
    (
        select count(*) from referrals
        where referrals.queue = place.queue and referrals.priority = place.priority
            and status = 'queued' and acknowledge_by < now() and $counted
    ),
    extract(epoch from now() - since)
from place join oldest on oldest.queue = place.queue
