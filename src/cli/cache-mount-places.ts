import { resolve } from "node:path";
import { VarveError } from "../errors/index.ts";
import type { CacheMountDestination, CacheMountOrigin } from "../engine/index.ts";
import { cut } from "./flags.ts";
import { splitCsv } from "./format/csv.ts";
import type { InputStream, Io, OutputStream } from "./io.ts";

/** Where cache mounts go, in the syntax of `--cache-to`: `type=local,dest=…`, `type=tar,dest=…`, `type=registry,ref=…`. */
export function parseMountDestination(
  text: string,
  { cwd, stdout }: Pick<Io, "cwd"> & { readonly stdout: OutputStream },
): CacheMountDestination {
  const place = parsePlace(text, "dest");
  if (place.type === "registry") return { type: "registry", ref: place.value };
  if (place.type === "local") return { type: "local", dest: resolve(cwd, place.value) };
  if (place.value !== "-") return { type: "tar", dest: resolve(cwd, place.value) };
  if (stdout.isTerminal)
    throw new VarveError("USAGE", "refusing to write cache mounts to a terminal", { hint: "redirect, or write dest=FILE" });
  return { type: "tar", dest: (chunk) => stdout.write(chunk) };
}

/** Where cache mounts come from, in the syntax of `--cache-from`, with `src` in the place of `dest`. */
export function parseMountOrigin(
  text: string,
  { cwd, stdin }: Pick<Io, "cwd"> & { readonly stdin: InputStream },
): CacheMountOrigin {
  const place = parsePlace(text, "src");
  if (place.type === "registry") return { type: "registry", ref: place.value };
  if (place.type === "local") return { type: "local", src: resolve(cwd, place.value) };
  return { type: "tar", src: place.value === "-" ? stdin.chunks() : resolve(cwd, place.value) };
}

interface Place {
  readonly type: "local" | "tar" | "registry";
  readonly value: string;
}

function parsePlace(text: string, side: "src" | "dest"): Place {
  const hint = `write type=local,${side}=FOLDER, type=tar,${side}=FILE or type=registry,ref=NAME`;
  const fail = (message: string) => new VarveError("USAGE", message, { hint });
  const given = new Map(splitCsv(text, "PLACE").map((field) => cut(field, "=")));
  const type = given.get("type");
  if (type !== "local" && type !== "tar" && type !== "registry")
    throw fail(type === undefined ? `"${text}" names no type of place` : `there are no cache mounts of type=${type}`);
  const key = type === "registry" ? "ref" : side;
  const stranger = [...given.keys()].find((name) => name !== "type" && name !== key);
  if (stranger !== undefined) throw fail(`type=${type} takes no ${stranger}`);
  const value = given.get(key);
  if (value === undefined || value === "") throw fail(`type=${type} needs ${key}=…`);
  return { type, value };
}
