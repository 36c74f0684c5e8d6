import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { VarveError } from "../../errors/index.ts";
import type { Io } from "../io.ts";

/**
 * The labels that BUILDX_GIT_LABELS asks for (B35): commit and remote of the Git checkout that the context lies in, and the
 * Dockerfile's place in it. None for a context that is no checkout.
 */
export async function readGitLabels(
  { context, dockerfile }: { readonly context: string; readonly dockerfile: string | undefined },
  { env, cwd, signal }: Pick<Io, "env" | "cwd" | "signal">,
): Promise<Readonly<Record<string, string>>> {
  if (env["BUILDX_GIT_LABELS"] !== "full" && !isTrue(env["BUILDX_GIT_LABELS"])) return {};
  const folder = resolve(cwd, context);
  if (context === "-" || statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return {};
  const git = async (...args: readonly string[]): Promise<string> => {
    // the checkout's own settings name no program that runs here
    const safe = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];
    const { PATH, HOME } = env;
    const options = { cwd: folder, signal, env: { PATH, HOME, LC_ALL: "C", GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0" } };
    return (await promisify(execFile)("git", [...safe, ...args], options)).stdout.trim();
  };
  const ask = async (...args: readonly string[]): Promise<string> => {
    try {
      return await git(...args);
    } catch (error) {
      signal.throwIfAborted();
      if ((error as NodeJS.ErrnoException).code === "ENOENT")
        throw new VarveError("GIT_MISSING", "BUILDX_GIT_LABELS needs git, which is not on this machine", { cause: error });
      return "";
    }
  };
  const root = await ask("rev-parse", "--show-toplevel");
  if (root === "") return {};
  const commit = await ask("rev-parse", "--verify", "HEAD");
  const isDirty = isTrue(env["BUILDX_GIT_CHECK_DIRTY"]) && (await ask("status", "--porcelain", "--ignored=no")) !== "";
  const remote = withoutPassword(await ask("config", "--get", "remote.origin.url"));
  const file = relative(root, resolve(cwd, dockerfile ?? join(folder, "Dockerfile")));
  return {
    ...(commit === "" ? {} : { "org.opencontainers.image.revision": isDirty ? `${commit}-dirty` : commit }),
    ...(remote === "" ? {} : { "org.opencontainers.image.source": remote }),
    ...(file.startsWith("..") || isAbsolute(file) || dockerfile === "-" ? {} : { "com.docker.image.source.entrypoint": file }),
  };
}

/** As Go reads booleans. */
function isTrue(value: string | undefined): boolean {
  return /^(1|t|T|TRUE|true|True)$/.test(value ?? "");
}

function withoutPassword(url: string): string {
  if (!/^https?:/.test(url) || !URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (parsed.username === "" && parsed.password === "") return url;
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}
