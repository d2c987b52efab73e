"""Posts, batches, reads and acts through the client that openapi-python-client generates as `generated`."""

import json
import sys

from generated import AuthenticatedClient
from generated.api.batch import post_batch
from generated.api.intakes import post_intake
from generated.api.referrals import acknowledge, get_referral
from generated.models import AcknowledgeBody, Form, PostBatchJsonBody

given = json.load(sys.stdin)
sender, operator = (
    AuthenticatedClient(given["url"], token=given[role], timeout=30) for role in ("submitter", "operator")
)
answers = {
    "patient": {"mrn": "PY-1", "birth_date": "1980-01-01"},
    "symptoms": {"cannot_lift_leg_supine": "present", "onset": "sudden", "bladder_change": "new_or_worse"},
}
intake = post_intake.sync(client=sender, body=Form.from_dict(answers), prefer="wait=20")
batch = PostBatchJsonBody.from_dict({"forms": [{"idempotency_key": "py", "form": answers}]})
outcomes = post_batch.sync(client=sender, body=batch).outcomes
referral_id = intake.referral.id
taken = acknowledge.sync(referral_id, client=operator, body=AcknowledgeBody(by="Dr Python"))
read = get_referral.sync(referral_id, client=operator)
refused = acknowledge.sync(referral_id, client=operator, body=AcknowledgeBody(by="Dr Other"))
told = {
    "queue": intake.decision.queue,
    "batched": [each.status for each in outcomes],
    "taken": taken.status,
    "by": read.acknowledged.by,
    "refused": refused.type_,
}
sys.stdout.write(json.dumps(told))
