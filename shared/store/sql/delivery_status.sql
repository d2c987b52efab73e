-- Counts the due and the parked deliveries of each queue, and of facilities' own systems.
-- Destination by destination, as the indexes are: what is counted is counted there, and no row is looked up.
select $listener, sum(due.number)::int, sum(parked.number)::int,
    coalesce(extract(epoch from now() - min(due.oldest)), 0)
from destinations
cross join lateral (
    select count(*) as number, min(created_at) as oldest from deliveries
    where destination_id = destinations.id and status = 'due'
) as due
cross join lateral (
    select count(*) as number from deliveries where destination_id = destinations.id and status = 'parked'
) as parked
group by 1 having sum(due.number) + sum(parked.number) > 0
