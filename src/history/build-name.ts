import { basename, dirname, join } from "node:path/posix";
import type { RecordedOptions } from "./types.ts";

/**
 * The name of a build in lists, e.g. `app`, `app/Dockerfile.dev (test)`: the last folder of the context, the Dockerfile
 * where it is another than usual, the target. A remote context is its own name. (buildx, util/history/name.go)
 */
export function nameBuild({ context, dockerfile, target, buildArgs }: RecordedOptions): string {
  const given = buildArgs?.["BUILDKIT_BUILD_NAME"];
  if (given !== undefined && given !== "") return given;
  const isFolder = context.startsWith("/");
  const place = isFolder || context === "-" || context === "" ? placeName(isFolder ? context : "", dockerfile) : context;
  if (target === undefined || target === "") return place;
  return place === "" ? target : `${place} (${target})`;
}

function placeName(context: string, dockerfile: string): string {
  const isUsual = dockerfile === "Dockerfile" || dockerfile === "-" || dockerfile === "" || basename(dockerfile) === "Dockerfile";
  const path = dockerfile.startsWith("/") ? (isUsual ? dirname(dockerfile) : dockerfile) : "";
  if (context !== "" && path.startsWith(context) && path.length > context.length) return path.slice(context.lastIndexOf("/") + 1);
  const named = path === "" ? context : path;
  return isUsual ? basename(named) : join(basename(dirname(named)), basename(named));
}
