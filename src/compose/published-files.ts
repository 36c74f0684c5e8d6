import { posix } from "node:path";
import { isRemoteFile, replaceFiles, type Project } from "../compose-file/index.ts";
import { VarveError } from "../errors/index.ts";
import { digestHex, sha256 } from "../oci/index.ts";
import type { PublishedFile } from "./artifact.ts";

/** A file of this machine as text; undefined where there is none. Paths are absolute. */
export type ReadFile = (path: string) => Promise<string | undefined>;

/**
 * The files that a project is made of, for one folder: what they extend and, with `withEnv`, their env_files are called after the digest
 * of their path, and named so in the files that use them, as Docker Compose publishes them.
 */
export async function collectFiles(
  project: Pick<Project, "composeFiles" | "workingDir" | "environment">,
  { readFile, withEnv }: { readonly readFile: ReadFile; readonly withEnv: boolean },
): Promise<readonly PublishedFile[]> {
  const extended = new Set<string>();
  const envFiles = new Set<string>();
  const publish = async (kind: "file" | "extended", path: string, base: string): Promise<PublishedFile> => {
    const text = await readFile(path);
    if (text === undefined)
      throw new VarveError("PROJECT_UNPUBLISHABLE", `${path} cannot be published: there is no such file`, {
        hint: "a project that is read from standard input has none",
      });
    const source = { name: path, text };
    const { environment } = project;
    const replaced = replaceFiles(source, {
      environment,
      rename({ kind: use, path: named }) {
        if (isRemoteFile(named)) return undefined;
        const target = posix.resolve(base, named);
        (use === "extends" ? extended : envFiles).add(target);
        return use === "extends" ? `${pathDigest(target)}.yaml` : `${pathDigest(target)}.env`;
      },
    });
    return { kind, name: kind === "file" ? posix.basename(path) : `${pathDigest(path)}.yaml`, text: replaced };
  };
  const files: PublishedFile[] = [];
  for (const path of project.composeFiles) files.push(await publish("file", path, project.workingDir));
  // what is extended may extend others: the set grows meanwhile
  for (const path of extended) files.push(await publish("extended", path, posix.dirname(path)));
  if (!withEnv) return files;
  for (const path of envFiles) {
    const text = await readFile(path);
    if (text !== undefined) files.push({ kind: "envFile", name: `${pathDigest(path)}.env`, text });
  }
  return files;
}

function pathDigest(path: string): string {
  return digestHex(sha256(path));
}
