-- Counts the unanswered fields by which rules could not be evaluated, by facility.
select facility, field, count(distinct referral_id)::int from (
    select referrals.facility, referrals.id as referral_id, jsonb_array_elements_text(rule -> 'missing') as field
    from referrals join decisions on decisions.intake_id = referrals.intake_id
    cross join jsonb_array_elements(record -> 'undetermined') as rule where $seen
) as missing
group by facility, field order by facility, 3 desc, field
