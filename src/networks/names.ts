import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import { isPlainName } from "./check-words.ts";
import { end, forgetWords, lastWords, signalIfThere, startLasting } from "./processes.ts";
import { needProgram, type Place } from "./programs.ts";
import { ownerOf } from "../state/index.ts";

/** What a name server is to know of one network. */
export interface NamedNetwork {
  readonly file: string;
  readonly gateway: string;
  readonly containers: readonly {
    readonly id: string;
    readonly ipv4: string;
    readonly ipv6: string | undefined;
    readonly names: readonly string[];
    /** Where other names are asked, empty: where this machine asks. */
    readonly servers: readonly string[];
  }[];
}

/**
 * The text of a network's file for aardvark-dns: the gateway that it listens at, then for each container its ID, IPv4 and IPv6
 * addresses, names, and servers for other names (aardvark-dns 1.4, src/config). A hostname that is no name there is left out.
 */
export function writeNames({ gateway, containers }: NamedNetwork): string {
  const lines = containers.map(({ id, ipv4, ipv6 = "", names, servers }) => [
    id,
    ipv4,
    ipv6,
    names.filter(isPlainName).join(","),
    ...(servers.length > 0 ? [servers.join(",")] : []),
  ]);
  return [[gateway], ...lines].map((line) => `${line.join(" ")}\n`).join("");
}

/** aardvark-dns writes it, and takes every other file of the folder for a network. */
export const pidFile = "aardvark.pid";

/**
 * Has the names of these networks served at their gateways, by one process for the folder; it reads its files anew at SIGHUP. None:
 * it ends. Fails with NETWORK_PROGRAM_MISSING and NETWORK_FAILED.
 */
export async function settleNames(place: Place, folder: string, networks: readonly NamedNetwork[]): Promise<void> {
  const config = join(folder, "names");
  const old = listOrEmpty(config);
  const server = findServer(config);
  if (networks.length === 0) {
    await stopNames(folder);
    return;
  }
  const program = needProgram("aardvark-dns", place.path);
  mkdirSync(config, { recursive: true, mode: 0o700 });
  const gone = old.filter((file) => file !== pidFile && networks.every((network) => network.file !== file));
  for (const file of gone) rmSync(join(config, file));
  const changed = networks.filter((network) => {
    const text = writeNames(network);
    const path = join(config, network.file);
    if (old.includes(network.file) && readFileSync(path, "utf8") === text) return false;
    // aside and outside, since every file of the folder is a network
    const aside = join(folder, `${network.file}.new`);
    writeFileSync(aside, text, { mode: 0o600 });
    renameSync(aside, path);
    return true;
  });
  if (server !== undefined) {
    if (changed.length + gone.length > 0) signalIfThere(server, "SIGHUP");
    return;
  }
  const log = { folder, name: namesLog };
  const { child } = await startLasting([...place.enter, program, "--config", config, "-p", "53", "run"], log);
  // it leaves a child behind when it serves
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  if (code !== 0 || findServer(config) === undefined)
    throw new VarveError("NETWORK_FAILED", `aardvark-dns cannot serve the names of containers: ${lastWords(log)}`);
}

/** Ends the process that serves the folder. */
export async function stopNames(folder: string): Promise<void> {
  const config = join(folder, "names");
  const server = findServer(config);
  if (server !== undefined) await end(ownerOf(server));
  rmSync(config, { recursive: true, force: true });
  forgetWords({ folder, name: namesLog });
}

/** Whether names are served for this folder. */
export function servesNames(folder: string): boolean {
  return findServer(join(folder, "names")) !== undefined;
}

const namesLog = "names";

/** The process that serves this folder, if one does. */
function findServer(config: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(config, pidFile), "latin1").trim());
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(config) ? pid : undefined;
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

function listOrEmpty(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
