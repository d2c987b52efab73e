-- Ends a statement that adds events: adds a delivery for each destination that listens to one of them.
-- Reads two relations that the statement before it defines: `new_event`, the added rows of `events`, and `subject`,
-- rows of `referrals` as they are after the change.
-- The sending facility's own destination gets all events but those hidden from senders. No destination of a queue gets
-- an event of a test facility; else a queue's own destination gets everything, also of a referral that leaves it. A
-- destination of an escalation level gets the escalations to that level and, once it was called, whatever ends or
-- changes the case.
insert into deliveries (id, destination_id, referral_id, event_id, queue, payload)
select gen_random_uuid(), destinations.id, subject.id, new_event.id, coalesce(destinations.queue, '$facility_deliveries'),
    jsonb_build_object(
        'type', new_event.type,
        'timestamp', to_char(new_event.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'data', jsonb_build_object(
            'referral_id', subject.id, 'reference', subject.reference,
            'intake_id', subject.intake_id, 'queue', subject.queue,
            'priority', (array[$priorities])[subject.priority + 1],
            'status', subject.status, 'escalation_level', subject.escalation_level,
            'red_flags', to_jsonb(subject.red_flags), 'ambulance', subject.ambulance,
            'contact_by', to_char(subject.contact_by at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'link', '/v1/referrals/' || subject.id
        )
    )
from new_event
join subject on subject.id = new_event.referral_id
join destinations on destinations.status <> 'removed'
    and (destinations.facility is null or destinations.facility = subject.facility)
    and case
        when destinations.queue is null then new_event.type <> all(array[$hidden_from_senders])
        when subject.test or destinations.queue not in (subject.queue, coalesce(new_event.data ->> 'from', ''))
            then false
        when destinations.escalation_level = 0 then true
        when new_event.type = 'referral.escalated' then destinations.escalation_level = (new_event.data ->> 'level')::int
        else new_event.type <> 'referral.queued' and destinations.escalation_level <= subject.escalation_level
    end
where starts_with(new_event.type, 'referral.') and new_event.type <> '$form_read'
returning id, queue
