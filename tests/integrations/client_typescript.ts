// Posts, batches, reads and acts with fetch, typed by what openapi-typescript generates.
import { readFileSync } from "node:fs";
import type { components, paths } from "./types";

type Schemas = components["schemas"];
type Batch = paths["/v1/intakes/batch"]["post"]["responses"]["200"]["content"]["application/json"];
const { url, submitter, operator } = JSON.parse(readFileSync(0, "utf8")) as Record<string, string>;

async function call<Answer>(key: string, path: string, body?: unknown): Promise<Answer> {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json", Prefer: "wait=20" };
  const answer = await fetch(url + path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) } as RequestInit);
  return (await answer.json()) as Answer;
}

const form: Schemas["Form"] = {
  patient: { mrn: "TS-1", birth_date: "1980-01-01" },
  symptoms: { cannot_lift_leg_supine: "present", onset: "sudden", bladder_change: "new_or_worse" },
};
const intake = await call<Schemas["Intake"]>(submitter, "/v1/intakes", form);
const forms: Schemas["BatchLine"][] = [{ idempotency_key: "ts", form }];
const batch = await call<Batch>(submitter, "/v1/intakes/batch", { forms });
const path = intake.referral!.links.self;
const by: Schemas["AcknowledgeBody"] = { by: "Dr Type" };
const taken = await call<Schemas["Referral"]>(operator, `${path}/acknowledge`, by);
const read = await call<Schemas["Referral"]>(operator, path);
const refused = await call<Schemas["Problem"]>(operator, `${path}/acknowledge`, { by: "Dr Other" });
console.log(
  JSON.stringify({
    queue: intake.decision?.queue,
    batched: batch.outcomes.map((each) => each.status),
    taken: taken.status,
    by: read.acknowledged?.by,
    refused: refused.type,
  }),
);
