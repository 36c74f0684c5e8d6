import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { compileListing } from "../format/listing.ts";
import { compileTemplate } from "../format/template.ts";

/** There is one: this machine, without a daemon. */
const contextName = "default";
const endpoint = "varve://";

const headings = { Name: "NAME", Description: "DESCRIPTION", DockerEndpoint: "DOCKER ENDPOINT", Error: "ERROR" };

export const dockerContextLs = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    format: { kind: "string", help: "Print by a template, or as table or json" },
    quiet: { kind: "bool", short: "q", help: "Show names only" },
  },
  args: { min: 0, max: 0 },
  run({ flags, io }) {
    const print = compileListing<Record<string, string | boolean>>(flags.quiet === true ? "{{.Name}}" : flags.format);
    const isTable = flags.quiet !== true && (flags.format === undefined || flags.format.startsWith("table"));
    const row = {
      Current: true,
      Description: "This machine, without a daemon",
      DockerEndpoint: endpoint,
      Error: "",
      Name: isTable ? `${contextName} *` : contextName,
    };
    io.stdout.print(print({ rows: [row], headings, columns: ["Name", "Description", "DockerEndpoint", "Error"] }));
    return Promise.resolve();
  },
});

export const dockerContextShow = defineCommand({
  usage: "",
  flags: {},
  args: { min: 0, max: 0 },
  run({ io }) {
    io.stdout.print(`${contextName}\n`);
    return Promise.resolve();
  },
});

export const dockerContextUse = defineCommand({
  usage: "CONTEXT",
  flags: {},
  args: { min: 1, max: 1 },
  run({ args: [name = ""], io }) {
    checkContext(name);
    io.stdout.print(`${contextName}\n`);
    return Promise.resolve();
  },
});

export const dockerContextInspect = defineCommand({
  usage: "[OPTIONS] [CONTEXT] [CONTEXT...]",
  flags: {
    format: { kind: "string", short: "f", help: "Print by a template, or as json" },
  },
  args: { min: 0, max: Infinity },
  run({ flags, args, io }) {
    const names = args.length === 0 ? [contextName] : args;
    names.forEach(checkContext);
    const context = {
      Name: contextName,
      Metadata: {},
      Endpoints: new Map([["docker", { Host: endpoint, SkipTLSVerify: false }]]),
      TLSMaterial: {},
      Storage: { MetadataPath: "<IN MEMORY>", TLSPath: "<IN MEMORY>" },
    };
    const json = { ...context, Endpoints: Object.fromEntries(context.Endpoints) };
    if (flags.format === undefined) {
      const all = names.map(() => json);
      io.stdout.print(`${JSON.stringify(all, undefined, 4)}\n`);
    } else {
      const render = compileTemplate(flags.format);
      for (const _ of names) io.stdout.print(`${render(context)}\n`);
    }
    return Promise.resolve();
  },
});

function checkContext(name: string): void {
  if (name === contextName) return;
  throw new VarveError("USAGE", `context "${name}": context not found: Varve works on this machine alone`, {
    hint: `the one context there is has the name "${contextName}"`,
  });
}
