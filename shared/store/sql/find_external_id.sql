-- Finds the intakes of some facilities that have an external id: in the clear, or by its hash.
select found.id from unnest(cast(:facilities as text[])) as of (facility)
cross join lateral (
    select id from intakes
    where intakes.facility = of.facility and external_id = :external_id and id < :after limit 1
) as found
union
select found.id
from unnest(cast(:hashed_facilities as text[]), cast(:external_id_hashes as bytea[])) as of (facility, hash)
cross join lateral (
    select id from intakes
    where intakes.facility = of.facility and external_id_hash = of.hash and id < :after limit 1
) as found
order by id desc limit (select cast(:limit as int))
