import { VarveError } from "../errors/index.ts";

/** One end of a copy, as `docker cp` looks at it. */
export interface CopyEnd {
  /** As it was given, made absolute; slashes and `/.` at its end say that it must be a folder. */
  readonly path: string;
  /** What is there, links followed where the copy follows them; undefined for nothing. */
  readonly kind: "directory" | "other" | undefined;
}

/** Where an archive of the source is unpacked, and what its topmost entry is called. */
export interface CopyPlan {
  /** The folder to unpack into, which must be there. */
  readonly folder: string;
  /** `.`: the content of the source's folder goes into it. */
  readonly as: string;
}

/**
 * Docker's rules of names for `cp` (docs, "docker container cp"): into a folder that is there, goes the source under its own name or,
 * of `folder/.`, its content; what is not there is made under the destination's name. A folder over a file, and a file to a folder
 * that is not there, are CONTAINER_COPY with Docker's words.
 */
export function planCopy(source: CopyEnd & { readonly kind: "directory" | "other" }, destination: CopyEnd): CopyPlan {
  const own = topName(source.path);
  if (destination.kind === "directory") return { folder: destination.path, as: own };
  if (destination.kind === "other" && source.kind === "directory") throw failure("cannot copy directory");
  if (source.kind !== "directory" && namesFolder(destination.path)) throw failure("no such directory");
  const [folder, name] = splitLast(destination.path);
  return { folder, as: name };
}

/** Whether a path says by its end that it is a folder: `dir/`, `dir/.`, nothing at all. */
export function namesFolder(path: string): boolean {
  return path === "" || path.endsWith("/") || path === "." || path.endsWith("/.");
}

/** What the topmost entry of an archive of `path` is called: its last component, or `.` for its content. */
export function topName(path: string): string {
  if (path.endsWith("/.") || path === ".") return ".";
  const name = path.replace(/\/+$/, "").split("/").at(-1) ?? "";
  return name === "" || name === ".." ? "." : name;
}

/** Folder and last component; slashes and `/.` at the end do not count. */
export function splitLast(path: string): readonly [folder: string, name: string] {
  const trimmed = path.replace(/(?:\/\.?)+$/, "");
  const at = trimmed.lastIndexOf("/");
  return [at <= 0 ? "/" : trimmed.slice(0, at), trimmed.slice(at + 1)];
}

function failure(message: string): VarveError {
  return new VarveError("CONTAINER_COPY", message);
}
