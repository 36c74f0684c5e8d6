import { spawn, type SpawnOptions } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";

/** What a program of another package is needed for, for who lacks it. */
const packages = {
  ip: "iproute2",
  nft: "nftables",
  nsenter: "util-linux",
  unshare: "util-linux",
  "aardvark-dns": "aardvark-dns",
  slirp4netns: "slirp4netns",
  pasta: "passt",
} as const;

export type Program = keyof typeof packages;

/** Podman's own programs are on no PATH. */
const furtherFolders = ["/usr/sbin", "/sbin", "/usr/lib/podman", "/usr/libexec/podman"];

/** Path of a program in the folders of a PATH, and where administrators' programs are. Undefined where it is not. */
export function findProgram(name: string, path: string): string | undefined {
  return [...path.split(":").filter((folder) => folder.startsWith("/")), ...furtherFolders]
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** As {@link findProgram}; fails with NETWORK_PROGRAM_MISSING. */
export function needProgram(name: Program, path: string): string {
  const found = findProgram(name, path);
  if (found === undefined)
    throw new VarveError("NETWORK_PROGRAM_MISSING", `${name} is not on this machine, and networks need it`, {
      hint: `as root: apt-get install ${packages[name]}`,
    });
  return found;
}

/** Where programs run that change links and rules: on this machine itself, or in the namespaces of an ordinary user's store. */
export interface Place {
  readonly path: string;
  /** What a command begins with to run there. */
  readonly enter: readonly string[];
  /** The same, for the network namespace of a path. */
  readonly enterNetwork: (netnsPath: string) => readonly string[];
}

export interface RunOptions {
  readonly input?: string;
  /** In the network namespace of this path, with the capabilities of the place. */
  readonly netnsPath?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program of the place to its end and returns what it printed. Fails with NETWORK_PROGRAM_MISSING and NETWORK_FAILED. */
export async function runIn(place: Place, name: Program, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const program = needProgram(name, place.path);
  const enter = options.netnsPath === undefined ? place.enter : place.enterNetwork(options.netnsPath);
  return await runProgram([...enter, program, ...args], options);
}

/** Runs a command to its end. Fails with NETWORK_FAILED and what it said. */
export async function runProgram(command: readonly string[], { input = "", signal }: RunOptions = {}): Promise<string> {
  const [program = "", ...args] = command;
  const options: SpawnOptions = {
    stdio: "pipe",
    env: { LANG: "C.UTF-8", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    ...(signal === undefined ? {} : { signal }),
  };
  const child = spawn(program, args, options);
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const chunks: Buffer[] = [];
    stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString("utf8");
  });
  // one that ends before it has read all says why by its exit code
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).catch((cause: unknown) => {
    if (signal?.aborted === true) throw new VarveError("CANCELED", "the network was not made", { cause });
    throw new VarveError("NETWORK_FAILED", `${program} cannot be started`, { cause });
  });
  if (code === 0) return stdout?.() ?? "";
  const said = stderr?.().trim() ?? "";
  throw new VarveError("NETWORK_FAILED", `${program.split("/").at(-1)} failed: ${said.split("\n")[0] ?? ""}`, {
    cause: new Error(`${command.join(" ")}\n${input}\n${said}`),
  });
}
