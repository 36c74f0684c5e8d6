import { resolve } from "node:path";
import { defineCommand } from "../command.ts";
import { installShims, ownProgram, uninstallShims } from "../docker/shim-scripts.ts";

export const installDockerShim = defineCommand({
  usage: "DIR",
  flags: {},
  args: { min: 1, max: 1 },
  async run({ args: [dir = ""], io }) {
    const folder = resolve(io.cwd, dir);
    for (const path of await installShims(folder, { program: ownProgram(), env: io.env })) io.stdout.print(`${path}\n`);
    if (!(io.env["PATH"] ?? "").split(":").includes(folder)) {
      io.stderr.print(`${folder} is not on the PATH yet: export PATH=${folder}:$PATH\n`);
    }
  },
});

export const uninstallDockerShim = defineCommand({
  usage: "DIR",
  flags: {},
  args: { min: 1, max: 1 },
  async run({ args: [dir = ""], io }) {
    for (const path of uninstallShims(resolve(io.cwd, dir))) io.stdout.print(`${path}\n`);
  },
});
