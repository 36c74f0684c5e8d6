import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { redactUrl } from "../errors/index.ts";

/** What a folder's Git checkout is: where it came from and which commit it stands on. */
export interface Checkout {
  readonly source?: string;
  readonly revision?: string;
}

/**
 * Reads the checkout that a folder lies in from the files of `.git`, without git; undefined where there is none. Whether
 * files were changed since the commit is not said. Never fails: what cannot be read is not known.
 */
export function readCheckout(folder: string): Checkout | undefined {
  const gitDir = findGitDir(resolve(folder));
  if (gitDir === undefined) return undefined;
  const common = readText(join(gitDir, "commondir"))?.trim();
  const commonDir = common === undefined ? gitDir : resolve(gitDir, common);
  const revision = readRevision(gitDir, commonDir);
  const source = readRemote(readText(join(commonDir, "config")) ?? "");
  if (revision === undefined && source === undefined) return undefined;
  return { ...(source === undefined ? {} : { source }), ...(revision === undefined ? {} : { revision }) };
}

/** `.git` is a folder, or in work trees and submodules a file that names one. */
function findGitDir(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, ".git");
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return path;
    const named = stat?.isFile() ? /^gitdir: (.+)$/m.exec(readText(path) ?? "")?.[1] : undefined;
    if (named !== undefined) return resolve(at, named);
    if (at === dirname(at)) return undefined;
  }
}

const hash = /^[0-9a-f]{40,64}$/;

function readRevision(gitDir: string, commonDir: string): string | undefined {
  const head = readText(join(gitDir, "HEAD"))?.trim() ?? "";
  if (hash.test(head)) return head;
  const ref = /^ref: (refs\/\S+)$/.exec(head)?.[1];
  if (ref === undefined || ref.includes("..")) return undefined;
  const loose = readText(join(commonDir, ref))?.trim();
  if (loose !== undefined) return hash.test(loose) ? loose : undefined;
  const packed = readText(join(commonDir, "packed-refs"))?.split("\n") ?? [];
  return packed.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0];
}

/** The URL of `origin`, or of the one remote that there is. */
function readRemote(config: string): string | undefined {
  const remotes = new Map<string, string>();
  let remote: string | undefined;
  for (const line of config.split("\n")) {
    const section = /^\s*\[(.*)\]/.exec(line)?.[1];
    if (section !== undefined) remote = /^remote "(.+)"$/.exec(section)?.[1];
    const url = /^\s*url\s*=\s*(\S+)\s*$/.exec(line)?.[1];
    if (remote !== undefined && url !== undefined && !remotes.has(remote)) remotes.set(remote, url);
  }
  const url = remotes.get("origin") ?? (remotes.size === 1 ? [...remotes.values()][0] : undefined);
  return url === undefined ? undefined : redactUrl(url);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // the checkout is a fact beside the build: not to know it is no fault of the build
    return undefined;
  }
}
