-- Parks due deliveries to destinations that are disabled or removed, at most $max_batch.
with unreachable as (
    select deliveries.id, destinations.id as destination_id, 'destination_' || destinations.status as error
    from destinations join deliveries on destination_id = destinations.id
    where destinations.status <> 'active' and $unleased
    limit $max_batch
    for no key update of deliveries skip locked
)
update deliveries set status = 'parked', error = unreachable.error, lease_until = null, ended_at = clock_timestamp()
from unreachable, referrals
where deliveries.id = unreachable.id and referrals.id = referral_id
returning referral_id, intake_id, deliveries.id, deliveries.destination_id, deliveries.error
