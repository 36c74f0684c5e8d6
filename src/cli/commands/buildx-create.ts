import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import type { CreateBuilder } from "../../engine/index.ts";
import { defineCommand } from "../command.ts";
import { cut } from "../flags.ts";
import { splitCsv } from "../format/csv.ts";
import { nonEmpty, optional } from "../store.ts";

/** What buildx lets a build ask for on every node of the docker-container driver. */
const hostNetwork = "--allow-insecure-entitlement=network.host";

export const buildxCreate = defineCommand({
  usage: "[OPTIONS] [CONTEXT|ENDPOINT]",
  flags: {
    append: { kind: "bool", help: "Change the node of a builder instead of making one" },
    bootstrap: { kind: "bool", help: "Make its store now" },
    builder: { kind: "string", hidden: true, help: "No effect: --name says which builder" },
    "buildkitd-config": { kind: "string", help: "Settings of this builder alone, with the tables of varve.toml" },
    "buildkitd-flags": { kind: "string", help: "Flags of BuildKit's daemon (--debug, --allow-insecure-entitlement)" },
    config: { kind: "string", hidden: true, help: "Older name of --buildkitd-config" },
    driver: { kind: "string", help: 'Driver to use ("docker-container")' },
    "driver-opt": { kind: "list", help: "Options of the driver (default-load=true, env.http_proxy=URL, network=host)" },
    flags: { kind: "string", hidden: true, help: "Older name of --buildkitd-flags" },
    leave: { kind: "bool", help: "Take a node from a builder instead of making one" },
    name: { kind: "string", help: "Name of the builder" },
    node: { kind: "string", help: "Name of the node to make or change" },
    platform: { kind: "csv", help: "Platforms that the node is preferred for" },
    timeout: { kind: "string", hidden: true, help: "No effect: there is nothing to wait for" },
    use: { kind: "bool", help: "Use the builder from now on where none is named" },
  },
  args: { min: 0, max: 1 },
  async run({ flags, args, io, openStore }) {
    const { isWithoutEffect, readNodeFlags } = await import("../../engine/index.ts");
    const { builders } = await openStore({ builder: "default" });
    const name = nonEmpty(flags.name);
    if (flags.leave === true) {
      if (name === undefined) throw new VarveError("USAGE", "leave requires instance name");
      if (flags.node === undefined) throw new VarveError("USAGE", "leave requires node name but --node not set");
      builders.leave(name, flags.node);
      io.stdout.print(`${name}\n`);
      return;
    }
    const driverOptions = readDriverOpts(flags["driver-opt"]);
    for (const option of Object.keys(driverOptions ?? {}).filter(isWithoutEffect))
      io.stderr.print(`WARNING: the driver option ${option} has no effect: this builder is no container\n`);
    const config = nonEmpty(flags["buildkitd-config"]) ?? nonEmpty(flags.config);
    const given = flags["buildkitd-flags"] ?? flags.flags;
    const nodeFlags = given === undefined && flags.append === true ? undefined : readNodeFlags(given ?? "");
    const made: CreateBuilder = {
      ...optional("name", name),
      ...optional("driver", nonEmpty(flags.driver)),
      ...optional("node", nonEmpty(flags.node)),
      ...optional("endpoint", nonEmpty(args[0])),
      ...optional("platforms", flags.platform.length === 0 ? undefined : flags.platform),
      ...optional("driverOptions", driverOptions),
      ...optional("config", config === undefined ? undefined : { path: resolve(io.cwd, config) }),
      ...optional("flags", nodeFlags === undefined ? undefined : withHostNetwork(nodeFlags)),
      append: flags.append === true,
    };
    const created = await builders.create(made);
    if (flags.use === true) builders.use(created);
    if (flags.bootstrap === true) await builders.start(created);
    io.stdout.print(`${created}\n`);
  },
});

function withHostNetwork(flags: readonly string[]): readonly string[] {
  return flags.some((flag) => flag.startsWith("--allow-insecure-entitlement")) ? flags : [...flags, hostNetwork];
}

/** `key=value` in CSV, and repeated; undefined where none was given. */
function readDriverOpts(texts: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (texts.length === 0) return undefined;
  const options: Record<string, string> = {};
  for (const text of texts)
    for (const field of splitCsv(text, "--driver-opt")) {
      const [key, value] = cut(field, "=");
      if (value === undefined || key === "")
        throw new VarveError("USAGE", `invalid value ${JSON.stringify(field)}, expecting k=v`);
      options[key] = value;
    }
  return options;
}
