import { VarveError } from "../../errors/index.ts";
import type { BuildOptions, ByteSink, Output } from "../../engine/index.ts";
import type { Call } from "../command.ts";
import { parseSizeFlag } from "../format/sizes.ts";
import { nonEmpty, optional } from "../store.ts";
import { parseCacheExports, parseCacheImports } from "./caches.ts";
import { parseAnnotations } from "./annotations.ts";
import { readBuildInput } from "./context.ts";
import { parseAgents, parseEntitlements, parseSecrets } from "./credentials.ts";
import type { buildFlags } from "./flags.ts";
import { parseContexts } from "./named-contexts.ts";
import { parseOutputs } from "./outputs.ts";
import { readProxyArgs } from "./proxies.ts";
import { parseExtraHosts, parseNetwork, parsePairs, parseUlimits } from "./values.ts";

export type BuildCall = Call<typeof buildFlags>;

/** What the engine is asked for. Everything that can be wrong with the flags is found here, before anything is opened. */
export async function readBuildOptions(call: BuildCall): Promise<BuildOptions> {
  const { flags, args, io } = call;
  const stdout: ByteSink = (chunk) => io.stdout.write(chunk);
  const { cwd, env } = io;
  checkAttestations(flags.attest);
  const outputs = parseOutputs(
    flags.output,
    { cwd, env, dockerConfigDir: call.dockerConfigDir, stdoutIsTerminal: io.stdout.isTerminal, stdout },
    {
      push: flags.push === true,
      load: flags.load === true,
      annotations: parseAnnotations(flags.annotation),
      allowDelete: flags.allow.includes(localDelete),
    },
  );
  checkIdFile(flags.iidfile, outputs);
  const labels = parsePairs(flags.label, { flag: "--label", bare: () => "" });
  const extraHosts = parseExtraHosts(flags["add-host"]);
  const ulimits = parseUlimits(flags.ulimit);
  const options = {
    labels: { ...(await readCheckoutLabels(call)), ...labels },
    tags: flags.tag,
    extraHosts,
    ulimits,
    network: parseNetwork(flags.network),
    pull: flags.pull === true,
    noCache: readNoCache(call),
    buildArgs: await readBuildArgs(call),
    secrets: await parseSecrets(flags.secret, io),
    ssh: await parseAgents(flags.ssh, io),
    cacheFrom: parseCacheImports(flags["cache-from"], io),
    cacheTo: parseCacheExports(flags["cache-to"], io),
    contexts: parseContexts(flags["build-context"], io),
    allow: parseEntitlements(flags.allow.filter((name) => name !== localDelete)),
    signal: io.signal,
    ...optional("requireCached", flags["require-cached"] === "*" ? (true as const) : nonEmpty(flags["require-cached"])),
    ...optional("target", nonEmpty(flags.target)),
    ...optional("platforms", await readPlatforms(call)),
    ...optional("shmSizeBytes", flags["shm-size"] === undefined ? undefined : parseSizeFlag(flags["shm-size"], "--shm-size")),
    ...(outputs.length === 0 ? {} : { outputs }),
  } satisfies Omit<BuildOptions, "context">;
  return { ...options, ...(await readBuildInput(args[0] ?? "", nonEmpty(flags.file), io)) };
}

/** `--build-arg`, then SOURCE_DATE_EPOCH of the environment (T40), then the proxies of Docker's config (B36). */
async function readBuildArgs({ flags, io, dockerConfigDir }: BuildCall): Promise<Readonly<Record<string, string>>> {
  const args = parsePairs(flags["build-arg"], { flag: "--build-arg", bare: (key) => io.env[key] });
  const epoch = nonEmpty(io.env["SOURCE_DATE_EPOCH"]);
  if (epoch !== undefined && !Object.hasOwn(args, "SOURCE_DATE_EPOCH")) args["SOURCE_DATE_EPOCH"] = epoch;
  const given = new Set(Object.keys(args).map((key) => key.toUpperCase()));
  for (const [key, value] of Object.entries(readProxyArgs(dockerConfigDir))) {
    if (!given.has(key.toUpperCase())) args[key] = value;
  }
  return args;
}

/** The platforms of `--platform` or DOCKER_DEFAULT_PLATFORM (B20); `local` is this machine's. */
async function readPlatforms({ flags, io }: BuildCall): Promise<readonly string[] | undefined> {
  const fallback = nonEmpty(io.env["DOCKER_DEFAULT_PLATFORM"])?.split(",") ?? [];
  const platforms = (flags.platform.length > 0 ? flags.platform : fallback)
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (platforms.length === 0) return undefined;
  if (!platforms.includes("local")) return platforms;
  const { formatPlatform, hostPlatform } = await import("../../oci/index.ts");
  return platforms.map((name) => (name === "local" ? formatPlatform(hostPlatform(process.arch)) : name));
}

/** Both flags at once are refused, as by buildx. */
function readNoCache({ flags }: BuildCall): true | readonly string[] {
  const stages = flags["no-cache-filter"].filter((stage) => stage !== "");
  if (flags["no-cache"] !== true) return stages;
  if (stages.length > 0) throw new VarveError("USAGE", "--no-cache and --no-cache-filter cannot currently be used together");
  return true;
}

/** Loaded only where the environment asks: most builds know nothing of Git. */
async function readCheckoutLabels({ flags, args, io }: BuildCall): Promise<Readonly<Record<string, string>>> {
  if (io.env["BUILDX_GIT_LABELS"] === undefined) return {};
  const { readGitLabels } = await import("./git-labels.ts");
  return await readGitLabels({ context: args[0] ?? "", dockerfile: nonEmpty(flags.file) }, io);
}

/** What the client itself allows; no step can ask for it. */
const localDelete = "buildx.local.delete";

/** Attestations are not made yet, so they can only be asked to be absent (B04). */
function checkAttestations(values: readonly string[]): void {
  for (const value of values) {
    const fields = value.split(",");
    const isOff = fields.some((field) => field === "disabled" || field === "disabled=true");
    if (!isOff || !fields.some((field) => /^type=(sbom|provenance)$/.test(field)))
      throw new VarveError("NOT_SUPPORTED_YET", `--attest ${value} is not supported yet`);
  }
}

function checkIdFile(file: string | undefined, outputs: readonly Output[]): void {
  if (file === undefined) return;
  const other = outputs.find(({ type }) => type === "local" || type === "tar");
  if (other !== undefined)
    throw new VarveError("USAGE", `--iidfile cannot be used with the output type ${other.type}: it makes no image`);
}

export type ProgressMode = "plain" | "rawjson" | "tty" | "quiet" | "none";

/** The kind of progress that the flags and BUILDKIT_PROGRESS ask for, and whether the image ID is printed at the end. */
export function readProgressMode({ flags, io }: BuildCall): { readonly mode: ProgressMode; readonly printId: boolean } {
  const given = nonEmpty(flags.progress) ?? nonEmpty(io.env["BUILDKIT_PROGRESS"]) ?? "auto";
  const quiet = flags.quiet === true || given === "quiet";
  switch (given) {
    case "auto":
    case "quiet":
      if (quiet) return { mode: "quiet", printId: true };
      return { mode: showsLive(io) ? "tty" : "plain", printId: false };
    case "tty":
    case "plain":
    case "rawjson":
    case "none":
      if (quiet) {
        if (flags.progress === undefined) return { mode: "quiet", printId: true };
        throw new VarveError("USAGE", `progress=${given} and quiet cannot be used together`);
      }
      if (given === "tty" && !io.stderr.isTerminal) {
        throw new VarveError("USAGE", "progress=tty needs a terminal as standard error", { hint: "use --progress=plain" });
      }
      return { mode: given, printId: false };
    default:
      throw new VarveError("USAGE", `invalid progress mode ${given}`, {
        hint: "there are auto, plain, tty, rawjson, quiet and none",
      });
  }
}

/** Whether progress is drawn live by default: on a terminal that can, and not in CI, whose logs keep every frame. */
function showsLive({ env, stderr }: BuildCall["io"]): boolean {
  const inCi = (env["CI"] ?? "") !== "" && env["CI"] !== "false";
  return stderr.isTerminal && env["TERM"] !== "dumb" && !inCi;
}
