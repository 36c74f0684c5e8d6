import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { isVarveError, VarveError } from "../errors/index.ts";
import { makeWorkingFolder, prepareCgroups, readHostFacts } from "../runtime/index.ts";
import { bindMount, hasCode, mountOverlay, openFlags, openInRoot, openPath } from "../sys/index.ts";
import { lookupUser } from "../tree/index.ts";
import { makeContainerSpec } from "./container-spec.ts";
import { mountImage } from "./mount-image.ts";
import type { RootPlan } from "./root-plan.ts";

/**
 * Makes a container's root in the mount namespace that the monitor will live in, and its bundle: the overlay, what volumes take from
 * the image, `config.json`. Runs as root of that namespace, in a process of its own.
 */
export function prepareRoot(plan: RootPlan): { readonly cgroupsPath: string } {
  const { paths, config, lowers, runtime, userNamespace } = plan;
  if (runtime.name === "crun") prepareCgroups();
  for (const folder of [paths.root, paths.upper]) mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (lowers.length === 0) bindMount(paths.upper, paths.root, {});
  else {
    mkdirSync(paths.work, { recursive: true, mode: 0o700 });
    mountOverlay({ lowers: [...lowers], upper: paths.upper, work: paths.work, target: paths.root, userXattr: userNamespace });
  }
  for (const image of plan.images) mountImage(image, userNamespace);
  for (const seed of plan.seeds) seedVolume(paths.root, seed);
  const user = withDockersWords(config.user, () => lookupUser(paths.root, config.user));
  const { mounts } = plan.place;
  makeWorkingFolder(paths.root, {
    cwd: config.workingDir === "" ? "/" : config.workingDir,
    // Docker gives what it makes to root, whoever the container runs as
    user: { uid: 0, gid: 0, additionalGids: [] },
    mounts: mounts.map(({ target }) => ({ type: "tmpfs", destination: target, readonly: false })),
  });
  const { text, cgroupsPath } = makeContainerSpec(config, { ...plan.place, user, facts: readHostFacts() });
  writeFileSync(paths.spec, text, { mode: 0o600 });
  return { cgroupsPath };
}

/** A user that the image does not know is told as Docker tells it. */
function withDockersWords<T>(user: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isVarveError(error) || error.code !== "TREE_USER" || !error.message.startsWith("unable to find")) throw error;
    const [name = "", group = ""] = user.split(":");
    const [what, which] = "group" in error.details ? ["group", group] : ["user", name];
    const file = what === "group" ? "group" : "passwd";
    throw new VarveError("CONTAINER_START", `unable to find ${what} ${which}: no matching entries in ${file} file`, {
      cause: error,
      details: { exitCode: 125 },
    });
  }
}

/** Copies what the image has at a volume's place, with owners, modes, times and attributes, and the place's own owner and mode. */
function seedVolume(rootPath: string, { source, target }: RootPlan["seeds"][number]): void {
  const root = openPath(rootPath);
  try {
    const place = openInRoot(root, target, { flags: openFlags.path | constants.O_DIRECTORY });
    try {
      // by descriptor: the path stays inside the root whatever links the image has
      const { status, stderr } = spawnSync("cp", ["--archive", "--no-target-directory", "/proc/self/fd/3/.", source], {
        stdio: ["ignore", "ignore", "pipe", place],
      });
      if (status === 0) return;
      throw new VarveError("CONTAINER_START", `the volume at ${target} cannot be filled: ${String(stderr).trim()}`);
    } finally {
      closeSync(place);
    }
  } catch (error) {
    // the image has nothing there
    if (!hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) throw error;
  } finally {
    closeSync(root);
  }
}
