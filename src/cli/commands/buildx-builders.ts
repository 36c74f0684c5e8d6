import { isVarveError, VarveError } from "../../errors/index.ts";
import { packageVersion } from "../../package/index.ts";
import { describeBuilder } from "../builders/describe-builder.ts";
import { compileBuilderList } from "../builders/list-builders.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { nonEmpty } from "../store.ts";

const builder = { kind: "string", hidden: true, help: "Another way to name the builder" } as const;
const timeout = { kind: "string", hidden: true, help: "No effect: there is nothing to wait for" } as const;
const version = () => `v${packageVersion()}`;

export const buildxLs = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    builder,
    format: { kind: "string", help: "Print each builder and node by a template, or as table or json" },
    "no-trunc": { kind: "bool", help: "Show all platforms" },
    timeout,
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const print = compileBuilderList(flags.format, { noTrunc: flags["no-trunc"] === true, version: version() });
    io.stdout.print(print((await openStore({ builder: "default" })).builders.list()));
  },
});

export const buildxInspect = defineCommand({
  usage: "[NAME]",
  flags: { bootstrap: { kind: "bool", help: "Make its store first" }, builder, timeout },
  args: { min: 0, max: 1 },
  async run({ flags, args, io, openStore, builderName }) {
    const { builders } = await openStore({ builder: "default" });
    const name = nonEmpty(args[0]) ?? (await builderName());
    if (flags.bootstrap === true) await builders.start(name);
    io.stdout.print(describeBuilder(builders.get(name), { version: version(), gcRules: await builders.gcRules(name) }));
  },
});

export const buildxUse = defineCommand({
  usage: "[OPTIONS] NAME",
  flags: {
    builder,
    default: { kind: "bool", help: "No effect: there is one context, and its builder lasts" },
    global: { kind: "bool", help: "No effect: there is one context, and its builder lasts" },
  },
  args: { min: 0, max: 1 },
  async run({ flags, args, openStore }) {
    const name = nonEmpty(args[0]) ?? nonEmpty(flags.builder);
    if (name === undefined) throw new VarveError("USAGE", "'varve buildx use' requires 1 argument");
    (await openStore({ builder: "default" })).builders.use(name);
  },
});

export const buildxStop = defineCommand({
  usage: "[NAME]",
  flags: { builder },
  args: { min: 0, max: 1 },
  async run({ args, openStore, builderName }) {
    const { builders } = await openStore({ builder: "default" });
    await builders.stop(nonEmpty(args[0]) ?? (await builderName()));
  },
});

export const buildxRm = defineCommand({
  usage: "[OPTIONS] [NAME...]",
  flags: {
    "all-inactive": { kind: "bool", help: "Remove all builders that do not run" },
    builder,
    force: { kind: "bool", short: "f", help: "Do not ask" },
    "keep-daemon": { kind: "bool", help: "The same as --keep-state: there is no daemon" },
    "keep-state": { kind: "bool", help: "Keep its store, for a builder of this name that is made later" },
    timeout,
  },
  args: { min: 0, max: Infinity },
  async run({ flags, args, io, openStore, builderName }) {
    const { builders } = await openStore({ builder: "default" });
    const keepState = flags["keep-state"] === true || flags["keep-daemon"] === true;
    let names = args;
    if (flags["all-inactive"] === true) {
      if (args.length > 0) throw new VarveError("USAGE", "cannot specify builder name when --all-inactive is set");
      const asked = "WARNING! This will remove all builders that are not in running state. Are you sure you want to continue?";
      if (flags.force !== true && !(await confirm(asked, io))) return;
      names = builders
        .list()
        .filter(({ nodes }) => nodes.every(({ status }) => status !== "running"))
        .map(({ name }) => name);
    } else if (args.length === 0) names = [await builderName()];
    const failed: VarveError[] = [];
    for (const name of names) {
      try {
        await builders.remove(name, { keepState, signal: io.signal });
        io.stderr.print(`${name} removed\n`);
      } catch (error) {
        if (!isVarveError(error) || error.kind === "canceled") throw error;
        io.stderr.print(`failed to remove ${name}: ${error.message}\n`);
        failed.push(error);
      }
    }
    const [first] = failed;
    if (first !== undefined)
      throw new VarveError(
        first.code,
        "failed to remove one or more builders",
        first.hint === undefined ? {} : { hint: first.hint },
      );
  },
});
