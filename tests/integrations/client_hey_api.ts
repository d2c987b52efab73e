// Posts, batches, reads and acts through the client that @hey-api/openapi-ts generates.
import { readFileSync } from "node:fs";
import { client } from "./hey-api/client.gen";
import { acknowledge, getReferral, postBatch, postIntake } from "./hey-api/sdk.gen";
import type { Form, Intake } from "./hey-api/types.gen";

const { url, submitter, operator } = JSON.parse(readFileSync(0, "utf8")) as Record<string, string>;
const sender = { auth: submitter, baseUrl: url };
const form: Form = {
  patient: { mrn: "HEY-1", birth_date: "1980-01-01" },
  symptoms: { cannot_lift_leg_supine: "present", onset: "sudden", bladder_change: "new_or_worse" },
};
client.setConfig({ baseUrl: url });
const posted = await postIntake({ ...sender, body: form, headers: { Prefer: "wait=20" } });
const intake = posted.data as Intake;
const batch = await postBatch({ ...sender, body: { forms: [{ idempotency_key: "hey", form }] } });
const referral_id = intake.referral!.id;
const taken = await acknowledge({ baseUrl: url, auth: operator, path: { referral_id }, body: { by: "Dr Hey" } });
const read = await getReferral({ baseUrl: url, auth: operator, path: { referral_id } });
const refused = await acknowledge({ baseUrl: url, auth: operator, path: { referral_id }, body: { by: "Dr Other" } });
const batched = batch.data && "outcomes" in batch.data ? batch.data.outcomes.map((each) => each.status) : [];
console.log(
  JSON.stringify({
    queue: intake.decision?.queue,
    batched,
    taken: taken.data?.status,
    by: read.data?.acknowledged?.by,
    refused: refused.error?.type,
  }),
);
