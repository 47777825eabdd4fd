/** workdir: env roots, context files, skills, brief and prompt, provider homes, locks. */
export * from "./local_skills.ts";
