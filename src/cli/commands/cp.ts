import { isAbsolute, join, resolve } from "node:path";
import {
  findLocalDestination,
  findLocalSource,
  namesFolder,
  packLocal,
  planCopy,
  splitLast,
  unpackLocal,
  type Containers,
} from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { formatSize } from "../format/sizes.ts";
import type { Io } from "../io.ts";

export const cp = defineCommand({
  usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tvarve cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
  flags: {
    archive: { kind: "bool", short: "a", help: "Give what is copied into a container to the user that the container runs as" },
    "follow-link": { kind: "bool", short: "L", help: "Copy what a link in SRC_PATH leads to" },
    quiet: { kind: "bool", short: "q", help: "Do not say how much was copied; so it is where no terminal reads" },
  },
  args: { min: 2, max: 2 },
  failureExitCode: 1,
  async run({ flags, args: [from = "", to = ""], io, openStore }) {
    const copied = await copyPaths({ from, to }, { flags, io, open: async () => (await openStore()).containers });
    if (copied !== undefined && !(flags.quiet ?? !io.stdout.isTerminal))
      io.stderr.print(`Successfully copied ${formatSize(copied.bytes)} to ${copied.to}\n`);
  },
});

/**
 * Copies between a container and this machine; one of the paths is `CONTAINER:PATH`. Undefined where it went to standard output.
 * Fails with CONTAINER_COPY and CONTAINER_PATH_NOT_FOUND.
 */
export async function copyPaths(
  { from, to }: { readonly from: string; readonly to: string },
  {
    flags,
    io,
    open,
  }: {
    readonly flags: { readonly archive?: boolean | undefined; readonly "follow-link"?: boolean | undefined };
    readonly io: Io;
    readonly open: () => Promise<Containers>;
  },
): Promise<Copied | undefined> {
  const [source, destination] = [splitArgument(from), splitArgument(to)];
  if (from === "") throw failure("source can not be empty");
  if (to === "") throw failure("destination can not be empty");
  if (source.container !== undefined && destination.container !== undefined)
    throw failure("copying between containers is not supported");
  const options = { followLink: flags["follow-link"] === true, keepOwners: flags.archive === true, io };
  if (source.container !== undefined)
    return await copyOut(await open(), { container: source.container, path: source.path }, to, options);
  if (destination.container !== undefined)
    return await copyIn(await open(), from, { container: destination.container, path: destination.path }, options);
  throw failure("must specify at least one container source");
}

interface Inside {
  readonly container: string;
  /** Absolute, but for "" (nothing was named). */
  readonly path: string;
}

interface CopySettings {
  readonly followLink: boolean;
  readonly keepOwners: boolean;
  readonly io: Io;
}

interface Copied {
  readonly bytes: number;
  readonly to: string;
}

async function copyOut(containers: Containers, from: Inside, to: string, settings: CopySettings): Promise<Copied | undefined> {
  const { followLink, io } = settings;
  const options = { followLink, signal: io.signal };
  if (to === "-") {
    for await (const chunk of containers.copyOut(from.container, from.path, options)) await io.stdout.write(chunk);
    return undefined;
  }
  const found = await containers.statPath(from.container, from.path, options);
  if (found === undefined) throw missing(from);
  const path = absolute(io, to);
  const destination = findLocalDestination(path);
  const { folder, as } = planCopy({ path: from.path, kind: found.kind === "directory" ? "directory" : "other" }, destination);
  const counter = { bytes: 0 };
  await unpackLocal(count(containers.copyOut(from.container, from.path, { ...options, as }), counter), {
    folder,
    signal: io.signal,
  });
  return { bytes: counter.bytes, to: path };
}

async function copyIn(containers: Containers, from: string, to: Inside, settings: CopySettings): Promise<Copied> {
  const { followLink, keepOwners, io } = settings;
  const { signal } = io;
  const destination = await findInside(containers, to, signal);
  const counter = { bytes: 0 };
  if (from === "-") {
    if (destination.kind !== "directory") throw failure(`destination "${to.container}:${to.path}" must be a directory`);
    await containers.copyIn(to.container, destination.path, count(io.stdin.chunks(), counter), { keepOwners, signal });
  } else {
    const source = findLocalSource(absolute(io, from), { followLink });
    const { folder, as } = planCopy(source, destination);
    const archive = count(packLocal(source, { as, followLink, signal }), counter);
    await containers.copyIn(to.container, folder, archive, { keepOwners, signal });
  }
  return { bytes: counter.bytes, to: `${to.container}:${destination.path}` };
}

/** As many links as Docker follows for a destination, and a few more. */
const maxLinks = 40;

/** The destination in a container; a link is what it leads to, there or not. */
async function findInside(
  containers: Containers,
  { container, path }: Inside,
  signal: AbortSignal,
): Promise<{ readonly path: string; readonly kind: "directory" | "other" | undefined }> {
  if (path === "") {
    await containers.get(container);
    return { path, kind: undefined };
  }
  const end = namesFolder(path) ? "/" : "";
  let at = join(...splitLast(path));
  for (let links = 0; ; links += 1) {
    const info = await containers.statPath(container, at, { signal });
    if (info?.linkTarget !== undefined && links < maxLinks) at = resolve(splitLast(at)[0], info.linkTarget);
    else if (info === undefined) return { path: `${at}${end}`, kind: undefined };
    else if (info.kind === "directory") return { path: at, kind: "directory" };
    else if (info.kind === "file") return { path: `${at}${end}`, kind: "other" };
    else throw failure(`destination "${container}:${path}" must be a directory or a regular file`);
  }
}

async function* count(
  source: AsyncIterable<Uint8Array>,
  counter: { bytes: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    counter.bytes += chunk.length;
    yield chunk;
  }
}

/** `CONTAINER:PATH`; what is an absolute path, or begins with a dot, is one of this machine. */
function splitArgument(text: string): { readonly container?: string; readonly path: string } {
  const colon = text.indexOf(":");
  if (colon < 1 || text.startsWith("/") || text.startsWith(".")) return { path: text };
  const path = text.slice(colon + 1);
  return { container: text.slice(0, colon), path: path === "" || path.startsWith("/") ? path : `/${path}` };
}

/** Absolute, with the slash or dot at the end that says it is a folder. */
function absolute({ cwd }: Io, path: string): string {
  const end = /(?:\/\.?)+$/.exec(path)?.[0] ?? (path === "." ? "/." : "");
  const full = isAbsolute(path) ? resolve(path) : resolve(cwd, path);
  return `${full}${end === "" || full === "/" ? "" : end.endsWith(".") ? "/." : "/"}`;
}

function missing({ container, path }: Inside): VarveError {
  return new VarveError("CONTAINER_PATH_NOT_FOUND", `Could not find the file ${path} in container ${container}`);
}

function failure(message: string): VarveError {
  return new VarveError("CONTAINER_COPY", message);
}
