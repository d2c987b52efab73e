-- Counts how often each rule was a reason, and how often it could not be evaluated.
select rule, sum(fired)::int, sum(undetermined)::int from (
    select reason ->> 'rule' as rule, 1 as fired, 0 as undetermined
    from referrals join decisions on decisions.intake_id = referrals.intake_id
    cross join jsonb_array_elements(record -> 'reasons') as reason where $seen
    union all
    select missing ->> 'rule', 0, 1
    from referrals join decisions on decisions.intake_id = referrals.intake_id
    cross join jsonb_array_elements(record -> 'undetermined') as missing where $seen
) as counted
group by rule order by 2 desc, 3 desc, 1
