import { existsSync, statSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { VarveError } from "../../errors/index.ts";
import { isRemoteFile, listVariables, type Project } from "../../compose-file/index.ts";
import { hasCode } from "../../sys/index.ts";
import type { Io } from "../io.ts";
import { nonEmpty } from "../store.ts";
import { composeTable } from "./compose-table.ts";
import { loadOptions, type ComposeCall } from "./open-project.ts";

const fileNames = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/**
 * Gets a project's files from a registry (`oci://…`) or a Git repository into the user's cache folder, each under its digest or commit;
 * the path of its Compose file. Fails with COMPOSE_UNSUPPORTED, COMPOSE_NOT_FOUND and ARTIFACT_NO_PROJECT, and as registries and git do.
 */
export async function fetchRemoteFile(url: string, call: Pick<ComposeCall, "io" | "openStore">): Promise<string> {
  return url.startsWith("oci://") ? await fetchArtifact(url.slice("oci://".length), call) : await fetchGit(url, call);
}

async function fetchArtifact(name: string, { io, openStore }: Pick<ComposeCall, "io" | "openStore">): Promise<string> {
  const { remoteImages } = await openStore();
  const artifact = await remoteImages.readArtifact(name, { signal: io.signal });
  const { filesOfArtifact, mainFile } = await import("../../compose/index.ts");
  const files = filesOfArtifact(artifact.name, artifact);
  const folder = join(cacheFolder(io.env), artifact.descriptor.digest.replace(/^.*:/, ""));
  if (!existsSync(folder)) {
    const aside = `${folder}.${process.pid}`;
    await rm(aside, { recursive: true, force: true });
    await mkdir(aside, { recursive: true, mode: 0o700 });
    for (const [file, text] of files) await writeFile(join(aside, file), text, { mode: 0o600 });
    try {
      await rename(aside, folder);
    } catch (error) {
      await rm(aside, { recursive: true, force: true });
      // another process may have been first: under its digest it has the same
      if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
    }
  }
  return join(folder, mainFile);
}

async function fetchGit(url: string, { io, openStore }: Pick<ComposeCall, "io" | "openStore">): Promise<string> {
  const { parseGitReference } = await import("../../dockerfile/index.ts");
  if (parseGitReference(url) === undefined)
    throw new VarveError("COMPOSE_UNSUPPORTED", `Compose files are not read from ${url}`, {
      hint: "oci://NAME is an artifact of a registry; a Git repository's URL ends in .git, with #REF:FOLDER after it",
    });
  const { gitFolders } = await openStore();
  const place = await gitFolders.resolve(url, { signal: io.signal });
  const folder = join(cacheFolder(io.env), place.commit);
  if (!existsSync(folder)) await gitFolders.checkOut(place, folder, { signal: io.signal });
  const path = join(folder, place.subdir);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
  const file = fileNames.map((name) => join(path, name)).find((each) => existsSync(each));
  if (file === undefined) throw new VarveError("COMPOSE_NOT_FOUND", `there is no Compose file in ${url}`);
  return file;
}

function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(nonEmpty(env["XDG_CACHE_HOME"]) ?? join(nonEmpty(env["HOME"]) ?? homedir(), ".cache"), "varve", "compose");
}

/** Whether the project's first file is from elsewhere. */
function isRemoteProject({ composeFlags, io }: Pick<ComposeCall, "composeFlags" | "io">): boolean {
  const [first] = composeFlags?.file.length === 0 ? [io.env["COMPOSE_FILE"] ?? ""] : (composeFlags?.file ?? []);
  return first !== undefined && isRemoteFile(first);
}

/**
 * What comes from elsewhere is said, and which of this machine's variables it will see; unless `yes`, the user has to agree. Fails with
 * DECLINED.
 */
export async function confirmRemoteProject(
  call: ComposeCall,
  project: Project,
  { yes }: { readonly yes: boolean },
): Promise<void> {
  const { io } = call;
  if (!isRemoteProject(call)) return;
  const [first = ""] = call.composeFlags?.file ?? [];
  io.stdout.print(`Your compose stack ${JSON.stringify(first)} is stored in ${JSON.stringify(project.workingDir)}\n`);
  if (yes) return;
  const variables = await listVariables(loadOptions(call));
  if (variables.length === 0) return;
  const rows = variables.map(({ name, isRequired, defaultValue }) => {
    const own = io.env[name];
    const source = own !== undefined ? "environment" : defaultValue !== "" ? "compose file" : "none";
    return [name, own ?? (defaultValue === "" ? "<unset>" : defaultValue), source, isRequired ? "yes" : "no", defaultValue];
  });
  io.stdout.print("\nFound the following variables in configuration:\n");
  io.stdout.print(composeTable(["VARIABLE", "VALUE", "SOURCE", "REQUIRED", "DEFAULT"], rows, { minWidth: 0 }));
  if (!(await agree("\nDo you want to proceed with these variables? [Y/n]: ", io)))
    throw new VarveError("DECLINED", "operation cancelled by user");
}

/** Enter is a yes, the end of the input is a no. */
async function agree(question: string, io: Io): Promise<boolean> {
  io.stdout.print(question);
  let answer = "";
  for await (const chunk of io.stdin.chunks()) {
    answer += Buffer.from(chunk).toString();
    if (answer.includes("\n")) return /^(?:y(?:es)?)?$/i.test((answer.split("\n")[0] ?? "").trim());
  }
  return false;
}
