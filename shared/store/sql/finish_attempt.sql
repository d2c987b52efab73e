-- Moves a delivery on by the result of its attempt, if the lease is still this attempt's.
update deliveries set status = :status, error = :error, lease_until = null,
    due_at = case :status when 'due' then clock_timestamp() + :pause else due_at end,
    ended_at = case :status when 'due' then null else clock_timestamp() end
from referrals
where deliveries.id = :id and deliveries.status = 'due' and attempts = :attempt and lease_until is not null
    and referrals.id = referral_id
returning referral_id, intake_id
