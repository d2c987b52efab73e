-- Finds, of each destination with a free slot, the oldest delivery that has been due for :age.
select oldest.id, oldest.queue, destinations.id
from destinations cross join lateral (
    select id, queue, due_at from deliveries
    where destination_id = destinations.id and $unleased and due_at <= clock_timestamp() - :age
    order by due_at, id limit 1
) as oldest
where $served and $has_free_slot and coalesce(destinations.queue, '$facility_deliveries') = any(:queues)
order by oldest.due_at
