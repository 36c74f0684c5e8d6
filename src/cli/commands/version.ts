import { defineCommand } from "../command.ts";
import { buildxVersion, isCalledDocker } from "../docker/called-as.ts";
import { describeAsDocker } from "../docker/version-facts.ts";
import { compileTemplate } from "../format/template.ts";

export const version = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    format: { kind: "string", short: "f", help: "Print by a template (Docker's Client and Server are there), or as json" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const render = flags.format === undefined ? undefined : compileTemplate(flags.format);
    const info = await (await openStore()).version();
    const docker = describeAsDocker(info);
    if (render !== undefined) {
      const facts = {
        Version: info.version,
        NodeVersion: info.node,
        Platform: info.platform,
        Runtime: info.runtime ?? "",
        Root: info.root,
        ...docker.facts,
      };
      io.stdout.print(`${render(facts)}\n`);
      return;
    }
    if (isCalledDocker(io.env)) {
      io.stdout.print(docker.text);
      return;
    }
    const rows = [
      ["Version:", info.version],
      ["Node.js:", info.node],
      ["OS/Arch:", info.platform],
      ["Runtime:", info.runtime ?? "none found (RUN needs crun or runc)"],
      ["Store:", info.root],
    ];
    io.stdout.print(`Varve:\n${rows.map(([name = "", value = ""]) => ` ${name.padEnd(12)}${value}\n`).join("")}`);
  },
});

/** `docker buildx version`: one line with buildx's name and version, which tools look for. */
export const buildxVersionCommand = defineCommand({
  usage: "",
  flags: {},
  args: { min: 0, max: 0 },
  async run({ io, openStore }) {
    if (!isCalledDocker(io.env)) {
      const info = await (await openStore()).version();
      io.stdout.print(`varve ${info.version}, with the commands of github.com/docker/buildx ${buildxVersion}\n`);
      return;
    }
    const { packageVersion } = await import("../../package/index.ts");
    io.stdout.print(`github.com/docker/buildx ${buildxVersion} varve-${packageVersion()}\n`);
  },
});
