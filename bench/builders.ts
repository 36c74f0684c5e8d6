import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";

export interface BuildOptions {
  readonly noCache?: boolean;
  /** Writes an OCI archive instead of an image of the builder's store. */
  readonly archive?: { readonly dest: string; readonly compression: "gzip" | "zstd" };
}

/** Something that builds a context, from its start to its exit. */
export interface Builder {
  readonly name: string;
  readonly version: string;
  /** Milliseconds that a build took. Rejects with what was said when it failed. */
  build(context: string, options?: BuildOptions): Promise<number>;
  /** The command of such a build with its environment. */
  command(context: string, options?: BuildOptions): { readonly argv: readonly string[]; readonly env: NodeJS.ProcessEnv };
}

/** Varve as a user has it: the package's program. */
export function openVarveBuilder(program: string, root: string, base: string): Builder {
  const env = { ...process.env, VARVE_ROOT: root, VARVE_CONFIG: "/dev/null" };
  runOrThrow([program, "load", "-q", "-i", base], env);
  const command = (context: string, options: BuildOptions = {}) => ({
    argv: [program, "build", ...argumentsOf(context, options)],
    env,
  });
  return {
    name: "Varve",
    version: runOrThrow([program, "--version"], env).trim(),
    command,
    build: (context, options) => timed(command(context, options)),
  };
}

/** The engine of DOCKER_HOST; a text says why it cannot take part. */
export function openDockerBuilder(base: string): Builder | string {
  const env = { ...process.env };
  const asked = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], { encoding: "utf8", timeout: 20_000 });
  if (asked.error !== undefined || asked.status !== 0) return `no Docker Engine answers: ${asked.stderr.trim()}`;
  runOrThrow(["docker", "load", "-q", "-i", base], env);
  const buildx = runOrThrow(["docker", "buildx", "version"], env).split(" ")[1] ?? "";
  const command = (context: string, options: BuildOptions = {}) => ({
    argv: ["docker", "build", ...argumentsOf(context, options)],
    env,
  });
  return {
    name: "docker build",
    version: `Docker Engine ${asked.stdout.trim()}, buildx ${buildx.trim()}`,
    command,
    build: (context, options) => timed(command(context, options)),
  };
}

/** The daemon of BUILDKIT_HOST, asked by buildctl; undefined where there is none. The base image comes from a layout folder. */
export function openBuildkitBuilder(base: string, folder: string): Builder | undefined {
  const env = { ...process.env };
  const asked = spawnSync("buildctl", ["debug", "info"], { encoding: "utf8", timeout: 20_000 });
  if (asked.error !== undefined || asked.status !== 0) return undefined;
  const layout = join(folder, "base-layout");
  mkdirSync(layout);
  runOrThrow(["tar", "-xf", base, "-C", layout], env);
  const index = JSON.parse(runOrThrow(["cat", join(layout, "index.json")], env)) as { manifests: { digest: string }[] };
  const digest = index.manifests[0]?.digest ?? "";
  const command = (context: string, { noCache, archive }: BuildOptions = {}) => ({
    argv: [
      ..."buildctl build --progress=plain --frontend=dockerfile.v0".split(" "),
      "--local",
      `context=${context}`,
      "--local",
      `dockerfile=${context}`,
      "--oci-layout",
      `base=${layout}`,
      "--opt",
      `context:busybox=oci-layout://base@${digest}`,
      ...(noCache ? ["--no-cache"] : []),
      "--output",
      archive ? outputOf(archive) : `type=image,name=${tagOf(context)}`,
    ],
    env,
  });
  return {
    name: "buildctl",
    version: `BuildKit ${/v?\d+\.\d+\S*/.exec(asked.stdout)?.[0] ?? ""}`,
    command,
    build: (context, options) => timed(command(context, options)),
  };
}

function argumentsOf(context: string, { noCache, archive }: BuildOptions): string[] {
  return [
    "--progress=plain",
    ...(noCache ? ["--no-cache"] : []),
    ...(archive ? ["--output", outputOf(archive)] : ["-t", tagOf(context)]),
    context,
  ];
}

function outputOf({ dest, compression }: { dest: string; compression: string }): string {
  return `type=oci,dest=${dest},compression=${compression}`;
}

function tagOf(context: string): string {
  return `varve-bench:${basename(context)}`;
}

async function timed({ argv, env }: { argv: readonly string[]; env: NodeJS.ProcessEnv }): Promise<number> {
  const [program = "", ...args] = argv;
  const started = performance.now();
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const heard: Buffer[] = [];
  child.stdout.resume();
  child.stderr.on("data", (chunk: Buffer) => heard.push(chunk));
  const exited = once(child, "exit");
  const [code] = (await exited) as [number | null];
  const ms = performance.now() - started;
  if (code !== 0) throw new Error(`${argv.join(" ")} failed:\n${Buffer.concat(heard).toString().slice(-2000)}`);
  return ms;
}

export function runOrThrow([program = "", ...args]: readonly string[], env: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { env, encoding: "utf8", maxBuffer: 1 << 26 });
  if (error !== undefined || status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr}`);
  return stdout;
}
