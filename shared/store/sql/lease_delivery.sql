-- Leases a delivery of a destination that is served and has a free slot for an attempt; $which selects it.
update deliveries set attempts = attempts + 1, lease_until = clock_timestamp() + :lease
from destinations
where destinations.id = :destination and $has_free_slot
    and $which and $unleased and due_at <= clock_timestamp()
returning deliveries.id, destination_id, referral_id, deliveries.queue, url, secret, payload, attempts,
    (select count(*) from delivery_attempts where delivery_id = deliveries.id and at >= due_since),
    clock_timestamp() - due_since, clock_timestamp(),
    (
        select traceparent from referrals join intakes on intakes.id = intake_id
        where referrals.id = deliveries.referral_id
    )
