import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import type { Io } from "../io.ts";
import { nonEmpty } from "../store.ts";

const unitName = "varve-containers.service";

export const bootStart = defineCommand({
  usage: "",
  flags: {},
  args: { min: 0, max: 0 },
  failureExitCode: 1,
  async run({ io, openStore }) {
    const { containers } = await openStore();
    let code = 0;
    for (const { name, error } of await containers.restore({ signal: io.signal })) {
      if (error === undefined) io.stdout.print(`${name}\n`);
      else io.stderr.print(`ERROR: ${name}: ${error.message}\n`);
      if (error !== undefined) code = 1;
    }
    return code;
  },
});

export const bootInstall = defineCommand({
  usage: "[OPTIONS]",
  flags: { print: { kind: "bool", help: "Only print the unit" } },
  args: { min: 0, max: 0 },
  async run({ flags, io }) {
    const text = unitText(io);
    if (flags.print === true) {
      io.stdout.print(text);
      return;
    }
    const path = unitPath(io);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    await systemctl(io, "daemon-reload");
    await systemctl(io, "enable", unitName);
    io.stdout.print(`${path}\n`);
    if (io.uid === 0 || existsSync(join("/var/lib/systemd/linger", userInfo().username))) return;
    io.stderr.print("Containers start when you log in, and end when you log out; for neither: loginctl enable-linger\n");
  },
});

export const bootRemove = defineCommand({
  usage: "",
  flags: {},
  args: { min: 0, max: 0 },
  async run({ io }) {
    const path = unitPath(io);
    if (!existsSync(path)) throw new VarveError("USAGE", `there is no ${path}`);
    await systemctl(io, "disable", unitName);
    rmSync(path);
    await systemctl(io, "daemon-reload");
    io.stdout.print(`${path}\n`);
  },
});

function unitPath({ uid, env }: Io): string {
  if (uid === 0) return join("/etc/systemd/system", unitName);
  const config = nonEmpty(env["XDG_CONFIG_HOME"]) ?? join(env["HOME"] ?? "/", ".config");
  return join(config, "systemd/user", unitName);
}

/** systemd.service(5). What holds networks is started by it, and outlives it; containers live in scopes of their own. */
function unitText({ uid, env }: Io): string {
  const kept = ["PATH", "VARVE_ROOT", "VARVE_CONFIG", "VARVE_RUNTIME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "DOCKER_CONFIG"];
  const settings = kept.flatMap((name) =>
    nonEmpty(env[name]) === undefined ? [] : [`Environment=${quote(`${name}=${env[name]}`)}`],
  );
  const lines = [
    "# Written by varve boot install",
    "[Unit]",
    "Description=Containers of Varve that are to be up by their restart policies",
    ...(uid === 0 ? ["Wants=network-online.target", "After=network-online.target"] : []),
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    "KillMode=process",
    ...settings,
    `ExecStart=${[process.execPath, process.argv[1] ?? "", "boot", "start"].map((word) => quote(word).replaceAll("$", "$$$$")).join(" ")}`,
    "",
    "[Install]",
    `WantedBy=${uid === 0 ? "multi-user.target" : "default.target"}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** systemd.syntax(7), "Quoting"; what begins with % is a specifier. */
function quote(word: string): string {
  return `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%")}"`;
}

async function systemctl({ uid, env }: Io, ...words: readonly string[]): Promise<void> {
  const session = { XDG_RUNTIME_DIR: nonEmpty(env["XDG_RUNTIME_DIR"]) ?? `/run/user/${uid ?? 0}` };
  try {
    const manager = uid === 0 ? "--system" : "--user";
    await promisify(execFile)("systemctl", [manager, ...words], { env: { ...env, ...(uid === 0 ? {} : session) } });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new VarveError("BOOT_SYSTEMD", `systemctl ${words.join(" ")} failed: ${said === "" ? "it cannot be started" : said}`, {
      hint: "where there is no systemd, have `varve boot start` run when the machine starts (cron's @reboot)",
      cause: error,
    });
  }
}
