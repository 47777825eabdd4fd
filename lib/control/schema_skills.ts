/** Skills on the wire: inline, as references, as resolved bundles (spec 01 §4.10, 5.3). */
import * as z from "zod";
import type { Skill, SkillRef } from "./types_claim.ts";
import { int, list, text } from "./values.ts";

const skillFile = z.object({ path: text, content: text, sha256: text, size_bytes: int });

export const skillSchema: z.ZodType<Skill> = z.object({
  id: text,
  source: text,
  name: text,
  description: text,
  hash: text,
  size_bytes: int,
  content: text,
  files: list(skillFile),
});

export const skillRefSchema: z.ZodType<SkillRef> = z.object({
  id: text,
  source: text,
  name: text,
  description: text,
  hash: text,
  size_bytes: int,
  file_count: int,
  files: list(z.object({ path: text, sha256: text, size_bytes: int })),
});

export const bundlesSchema = z.object({ bundles: list(skillSchema) });
