"""The tables. A row's status says what is to be done with it next, so no message has to be trusted.

Clinical answers stand apart from identity, which is one sealed column that only an authorised answer opens.
"""

from shared.tables.access import (
    FACILITY_KINDS,
    ROLES,
    WITHOUT_FACILITY,
    AccessedPatient,
    AccessRecord,
    ApiKey,
    Facility,
    FailedAuthentication,
    Person,
)
from shared.tables.base import Table, one_of
from shared.tables.console import SESSION_KINDS, ConsoleSession
from shared.tables.deliveries import DELIVERY_STATUSES, DESTINATION_STATUSES, Delivery, DeliveryAttempt, Destination
from shared.tables.event_texts import EventText
from shared.tables.heartbeats import Heartbeat
from shared.tables.identities import IdentityCorrection
from shared.tables.intakes import INTAKE_STATUSES, IdempotencyKey, Intake
from shared.tables.queues import QueueChange
from shared.tables.referrals import (
    AWAITS_CONTACT,
    ENDED,
    IS_FAILED,
    IS_OPEN,
    IS_QUEUED,
    PATIENT,
    TYPED_OTHERWISE,
    Decision,
    Event,
    Referral,
)
from shared.tables.retention import EventErasure, RetentionHold, RetentionRun
from shared.tables.seals import ChainSeal, KeySeal, ReferralSeal

__all__ = [
    "AWAITS_CONTACT",
    "DELIVERY_STATUSES",
    "DESTINATION_STATUSES",
    "ENDED",
    "FACILITY_KINDS",
    "INTAKE_STATUSES",
    "IS_FAILED",
    "IS_OPEN",
    "IS_QUEUED",
    "PATIENT",
    "ROLES",
    "SESSION_KINDS",
    "TYPED_OTHERWISE",
    "WITHOUT_FACILITY",
    "AccessRecord",
    "AccessedPatient",
    "ApiKey",
    "ChainSeal",
    "ConsoleSession",
    "Decision",
    "Delivery",
    "DeliveryAttempt",
    "Destination",
    "Event",
    "EventErasure",
    "EventText",
    "Facility",
    "FailedAuthentication",
    "Heartbeat",
    "IdempotencyKey",
    "IdentityCorrection",
    "Intake",
    "KeySeal",
    "Person",
    "QueueChange",
    "Referral",
    "ReferralSeal",
    "RetentionHold",
    "RetentionRun",
    "Table",
    "one_of",
]
