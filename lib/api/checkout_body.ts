/** The body of `POST /repo/checkout`; loaded with the first such request. */
import * as z from "zod";
import { errorText } from "../core/mod.ts";

const text = z.string().nullish().transform((value) => value ?? "");

const bodySchema = z.looseObject({
  url: text,
  workspace_id: text,
  workdir: text,
  ref: text,
  agent_name: text,
  task_id: text,
  checkout_mode: text,
  retry_busy: z.boolean().nullish().transform((value) => value ?? false),
});

/** A body of the right shape. */
export type CheckoutBody = z.infer<typeof bodySchema>;

/** The body, or the sentence that says what is wrong with it. */
export function readBody(body: string): CheckoutBody | string {
  try {
    const parsed = bodySchema.safeParse(JSON.parse(body));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    return `invalid request body: ${[...issue?.path ?? [], issue?.message].join(" ")}`;
  } catch (error) {
    return `invalid request body: ${errorText(error)}`;
  }
}
