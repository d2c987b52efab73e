-- Finds the referrals of :intakes that may be seen, and of each superseded one the open referral of its chain.
with found as (
    select referrals.id, referrals.status, coalesce(first_version, intakes.id) as first
    from referrals join intakes on intakes.id = intake_id
    where intake_id = any(cast(:intakes as uuid[]))
), all_of_them as (
    select id from found
    union
    select open.id from (select distinct first from found where status = 'superseded') as chain
    cross join lateral (
        select referrals.id from (
            select chain.first as id union all select id from intakes where first_version = chain.first
        ) as version
        join referrals on intake_id = version.id
        where $is_open limit 1
    ) as open
)
select referrals.id from all_of_them join referrals on referrals.id = all_of_them.id
where test = cast(:test as bool)
    and (cast(:facility as text) is null or facility = :facility)
    and (cast(:queues as text[]) is null or queue = any(cast(:queues as text[])))
