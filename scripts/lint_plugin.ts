/** The house's bans, checked by `deno lint` (ARCHITECTURE.md, "Ground rules"). */

/** Rooms a room may import from, besides core. `config` is read by all as a value. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  control: [],
  config: [],
  agents: [],
  repos: [],
  workdir: ["control"],
  plane: ["control"],
  agentcli: ["control"],
  api: ["control"],
  runtimes: ["control", "agents", "workdir"],
  tasks: ["control", "agents", "workdir", "repos", "runtimes"],
  engine: ["control", "agents", "workdir", "repos", "runtimes", "tasks", "api", "supervisor"],
  supervisor: ["control", "agents", "workdir", "runtimes", "api"],
  cli: ["control", "agents", "workdir", "runtimes", "api", "supervisor", "plane", "agentcli", "tasks"],
};

function roomOf(file: string): string | undefined {
  return /(?:^|\/)lib\/([a-z]+)\//.exec(file.replaceAll("\\", "/"))?.[1];
}

function isTest(file: string): boolean {
  return /(?:^|\/)(tests|scripts)\//.test(file.replaceAll("\\", "/"));
}

function text(context: Deno.lint.RuleContext, node: Deno.lint.Node): string {
  return context.sourceCode.getText(node);
}

const arrows: Deno.lint.Rule = {
  create(context) {
    const from = roomOf(context.filename);
    const check = (
      node: Deno.lint.ImportDeclaration | Deno.lint.ExportNamedDeclaration | Deno.lint.ExportAllDeclaration,
    ) => {
      const source = node.source?.value;
      if (from === undefined || typeof source !== "string" || !source.startsWith(".")) return;
      const target = roomOf(new URL(source, `file://${context.filename}`).pathname);
      if (target === undefined || target === from) return;
      if (!source.endsWith("/mod.ts")) {
        context.report({ node, message: `Import another room through its mod.ts, not ${source}` });
      }
      if (target !== "core" && target !== "config" && !(ARROWS[from] ?? []).includes(target)) {
        context.report({ node, message: `${from} must not import from ${target}: arrows point down` });
      }
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check };
  },
};

const zod: Deno.lint.Rule = {
  create(context) {
    return {
      ImportDeclaration(node) {
        if (node.source.value !== "zod") return;
        if (node.specifiers.some((s) => s.type !== "ImportNamespaceSpecifier")) {
          context.report({
            node,
            message: 'Write import * as z from "zod": the named import keeps every language file',
          });
        }
      },
    };
  },
};

const TIME_CALLS =
  /^(?:setTimeout|setInterval|globalThis\.setTimeout|globalThis\.setInterval|Date\.now|Math\.random)$/;

const time: Deno.lint.Rule = {
  create(context) {
    const room = roomOf(context.filename);
    if (room === undefined || room === "core" || isTest(context.filename)) return {};
    return {
      CallExpression(node) {
        const callee = text(context, node.callee);
        if (TIME_CALLS.test(callee)) {
          context.report({
            node,
            message: `${callee} lives in lib/core only: take the injected Clock or Random`,
          });
        }
      },
    };
  },
};

const processes: Deno.lint.Rule = {
  create(context) {
    const file = context.filename.replaceAll("\\", "/");
    if (isTest(file) || file.endsWith("lib/core/process.ts")) return {};
    return {
      NewExpression(node) {
        if (text(context, node.callee) === "Deno.Command") {
          context.report({ node, message: "Start children with launch() of lib/core" });
        }
      },
      ImportDeclaration(node) {
        if (/^(?:node:)?child_process$/.test(String(node.source.value))) {
          context.report({ node, message: "Start children with launch() of lib/core" });
        }
      },
    };
  },
};

const exit: Deno.lint.Rule = {
  create(context) {
    const file = context.filename.replaceAll("\\", "/");
    if (isTest(file) || roomOf(file) === undefined) return {};
    return {
      CallExpression(node) {
        if (text(context, node.callee) === "Deno.exit") {
          context.report({ node, message: "Return an exit code; only main.ts ends the process" });
        }
      },
    };
  },
};

const consoleOnlyInCli: Deno.lint.Rule = {
  create(context) {
    const room = roomOf(context.filename);
    if (room === undefined || room === "cli") return {};
    return {
      MemberExpression(node) {
        if (text(context, node.object) === "console") {
          context.report({ node, message: "Log with getLog(); console belongs to lib/cli" });
        }
      },
    };
  },
};

const defaultExport: Deno.lint.Rule = {
  create(context) {
    if (roomOf(context.filename) === undefined) return {};
    return {
      ExportDefaultDeclaration(node) {
        context.report({ node, message: "No default exports: name what you export" });
      },
    };
  },
};

const computedImport: Deno.lint.Rule = {
  create(context) {
    if (roomOf(context.filename) === undefined) return {};
    return {
      ImportExpression(node) {
        if (node.source.type !== "Literal") {
          context.report({
            node,
            message:
              "import() takes a literal: computed specifiers are dropped by the bundle and open files by path",
          });
        }
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    arrows,
    zod,
    time,
    processes,
    exit,
    console: consoleOnlyInCli,
    "default-export": defaultExport,
    "computed-import": computedImport,
  },
};

export default plugin;
