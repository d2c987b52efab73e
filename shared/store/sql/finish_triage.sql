-- Finishes triage: marks intakes as triaged and adds their decisions, referrals, first events and deliveries.
-- Only intakes that still wait are finished, so a second run changes nothing.
with outcome as (
    select * from jsonb_to_recordset(cast(:outcomes as jsonb)) as outcome (
        intake_id uuid, referral_id uuid, record jsonb, queue text, priority smallint, pattern text,
        headline text, red_flags text[], acknowledge_by timestamptz, clock_started_at timestamptz,
        escalate_at timestamptz, escalation_level smallint, downgrade_proposed boolean,
        contact_by timestamptz, ambulance boolean, imaging_due jsonb, contacted_by text, contacted_at timestamptz,
        contacted_outcome text, contact_overdue_at timestamptz, event jsonb, actor jsonb
    )
), finished as (
    update intakes set status = 'triaged', triaged_at = now(), lease_until = null
    where id = any(array(select intake_id from outcome)) and status is not distinct from 'received'
    returning id, facility, mrn_hash, patient_hash, received_at,
        exists (select from facilities where name = facility and kind = 'test') as test
), new_decision as (
    insert into decisions (intake_id, record, protocol_version)
    select intake_id, record, record -> 'protocol' ->> 'version'
    from outcome join finished on finished.id = intake_id where record is not null
), subject as (
    insert into referrals (id, reference, intake_id, facility, test, mrn_hash, patient_hash, form_received_at, queue,
        priority, pattern, headline, red_flags, acknowledge_by, clock_started_at, escalate_at, escalation_level,
        downgrade_proposed, contact_by, ambulance, imaging_due, contacted_by, contacted_at,
        contacted_outcome, contact_overdue_at)
    select referral_id, new_reference(), intake_id, facility, test, mrn_hash, patient_hash, received_at, queue,
        priority, pattern, headline, red_flags, acknowledge_by, clock_started_at, escalate_at, escalation_level,
        downgrade_proposed, contact_by, ambulance, imaging_due, contacted_by, contacted_at,
        contacted_outcome, contact_overdue_at
    from outcome join finished on finished.id = intake_id
    returning *
), new_event as (
    insert into events (type, referral_id, intake_id, data, actor)
    select 'referral.queued', referral_id, intake_id, event, actor from outcome join finished on finished.id = intake_id
    returning *
)
$fan_out
