import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openVarve } from "../../src/engine/index.ts";
import { VarveError } from "../../src/errors/index.ts";
import type { BuildFlags } from "./case.ts";

export interface Outcome {
  /** Undefined when the archive was written, else what was said about the failure. */
  readonly failure: string | undefined;
  /** Lines of the Dockerfile that were shown as the place of the failure. */
  readonly lines: readonly number[];
  readonly log: string;
}

/** Something that builds a context into an OCI archive. */
export interface Builder {
  readonly name: string;
  loadImages(archive: Uint8Array): Promise<void>;
  build(context: string, flags: BuildFlags, dest: string): Promise<Outcome>;
  close(): Promise<void>;
}

const buildTimeoutMs = 120_000;

/**
 * The same builder, one build after the other. BuildKit makes one step of two builds' equal steps when they run at the same time, so
 * that a file of one case would have the time of the other's.
 */
export function oneAtATime(builder: Builder): Builder {
  let last: Promise<unknown> = Promise.resolve();
  return {
    ...builder,
    build(...args) {
      const next = last.then(() => builder.build(...args));
      last = next.catch(() => undefined);
      return next;
    },
  };
}

/** A fault of a busy engine's own store, which says nothing about the case; and how often such a build is made again. */
export const passingFault = /failed to open writer: ref \S+ locked .*unavailable/;
const engineRetries = 5;

/** The Docker Engine that the environment names (DOCKER_HOST or the usual socket); a text says why there is none. */
export function connectDocker(): Builder | string {
  const ask = (args: string[]) => spawnSync("docker", args, { encoding: "utf8", timeout: 20_000 });
  const version = ask(["version", "--format", "{{.Server.Version}}"]);
  if (version.error) return "there is no docker command";
  if (version.status !== 0) return `no Docker Engine answers: ${version.stderr.trim().split("\n").at(-1) ?? ""}`;
  const buildx = ask(["buildx", "version"]);
  if (buildx.status !== 0) return "docker has no buildx";
  const driver = ask(["info", "--format", "{{json .DriverStatus}}"]);
  if (!driver.stdout.includes("containerd.snapshotter"))
    return "the Docker Engine does not use the containerd image store, which OCI archives need";
  return {
    name: `Docker Engine ${version.stdout.trim()}, buildx ${buildx.stdout.split(" ")[1] ?? ""}`,
    async loadImages(archive) {
      const { status, stderr } = spawnSync("docker", ["load"], { input: archive, encoding: "utf8" });
      if (status !== 0) throw new Error(`docker load: ${stderr}`);
    },
    async build(context, flags, dest) {
      const command = ["buildx", "build", "--provenance=false", ...argumentsOf(context, flags, dest)];
      let { code, output } = await run("docker", command);
      for (let again = 0; again < engineRetries && code !== 0 && passingFault.test(output); again += 1)
        ({ code, output } = await run("docker", command));
      return {
        failure: code === 0 ? undefined : (/^ERROR: (.*)/ms.exec(output)?.[1] ?? output),
        lines: findLines(output),
        log: output,
      };
    },
    close: () => Promise.resolve(),
  };
}

/** What follows `build` on both command lines. */
function argumentsOf(context: string, flags: BuildFlags, dest: string): string[] {
  const args = ["--no-cache", "--progress=plain", "-o", `type=oci,dest=${dest}`];
  if (flags.remote === undefined) args.push("-f", join(context, flags.dockerfile));
  for (const [key, value] of Object.entries(flags.buildArgs)) args.push("--build-arg", `${key}=${value}`);
  for (const [key, value] of Object.entries(flags.labels)) args.push("--label", `${key}=${value}`);
  for (const { host, ip } of flags.hosts) args.push("--add-host", `${host}=${ip}`);
  for (const { name, soft, hard } of flags.ulimits) args.push("--ulimit", `${name}=${soft}:${hard}`);
  if (flags.target !== undefined) args.push("--target", flags.target);
  if (flags.network !== undefined) args.push("--network", flags.network);
  if (flags.shmSizeBytes !== undefined) args.push("--shm-size", String(flags.shmSizeBytes));
  return [...args, ...flags.more, flags.remote ?? context];
}

/** Varve from this checkout, over a store folder: the library, and the command for what only flags say. */
export function openBuilder(root: string, runtime: string | undefined): Builder {
  const varve = openVarve({
    root,
    configPath: join(root, "none.toml"),
    dockerConfigDir: join(root, "none"),
    path: process.env["PATH"] ?? "",
    ...(runtime === undefined ? {} : { runtime }),
  });
  return {
    name: "Varve",
    async loadImages(archive) {
      await varve.images.load(
        (async function* () {
          yield archive;
        })(),
      );
    },
    async build(context, flags, dest) {
      if (flags.more.length > 0 || flags.remote !== undefined) return runCommand(root, argumentsOf(context, flags, dest));
      const { hosts, dockerfile, more: _more, remote: _remote, ...rest } = flags;
      const path = join(context, dockerfile);
      const run = varve.build({
        ...rest,
        context: { kind: "folder", path: context },
        ...(existsSync(path) && dockerfile !== "Dockerfile" ? { dockerfile: { path } } : {}),
        extraHosts: hosts,
        noCache: true,
        outputs: [{ type: "oci", dest }],
        signal: AbortSignal.timeout(buildTimeoutMs),
      });
      let log = "";
      try {
        for await (const event of run) if (event.type === "log") log += Buffer.from(event.data).toString();
        await run;
        return { failure: undefined, lines: [], log };
      } catch (error) {
        const { startLine = 0, endLine = 0 } = (error instanceof VarveError ? error.where : undefined) ?? {};
        const lines = startLine === 0 ? [] : Array.from({ length: endLine - startLine + 1 }, (_, index) => startLine + index);
        return { failure: sayFailure(error), lines, log };
      }
    },
    close: () => varve.close(),
  };
}

async function runCommand(root: string, args: readonly string[]): Promise<Outcome> {
  const none = join(root, "none");
  const main = join(import.meta.dirname, "../../src/cli/main.ts");
  const env = { VARVE_ROOT: root, VARVE_CONFIG: `${none}.toml`, DOCKER_CONFIG: none };
  const { code, output } = await run(process.execPath, [main, "build", ...args], env);
  return {
    failure: code === 0 ? undefined : (/^ERROR: (.*)/ms.exec(output)?.[1] ?? `UNFORESEEN ${output}`),
    lines: findLines(output),
    log: output,
  };
}

/** The marked lines of the excerpt of the Dockerfile that both command lines print. */
function findLines(output: string): number[] {
  return [...output.matchAll(/^ +(\d+) \| >>> /gm)].map((match) => Number(match[1]));
}

/** An error with its hint and its causes. What is no VarveError was not foreseen and says so. */
function sayFailure(error: unknown): string {
  if (error instanceof VarveError)
    return [`${error.code}: ${error.message}`, error.hint, error.cause instanceof Error ? error.cause.message : undefined]
      .filter(Boolean)
      .join("\n");
  return `UNFORESEEN ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: buildTimeoutMs,
      env: { ...process.env, BUILDX_GIT_INFO: "0", CONFORMANCE_SECRET: "from the environment", ...env },
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
