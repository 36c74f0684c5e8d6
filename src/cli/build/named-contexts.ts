import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import type { BuildOptions, NamedContext } from "../../engine/index.ts";
import { cut } from "../flags.ts";

type Contexts = NonNullable<BuildOptions["contexts"]>;

/** `NAME=VALUE` (B06): a folder, `docker-image://REF`, `oci-layout://FOLDER[:TAG][@DIGEST]`, or a URL; of one name the last counts. */
export function parseContexts(values: readonly string[], { cwd }: { readonly cwd: string }): Contexts {
  return Object.fromEntries(
    values.map((pair) => {
      const [name, value] = cut(pair, "=");
      if (value === undefined) throw new VarveError("USAGE", `invalid context value: ${pair}, expected key=value`);
      return [name, readContext(value, cwd)];
    }),
  );
}

function readContext(value: string, cwd: string): NamedContext {
  const image = after("docker-image://", value);
  if (image !== undefined) return { kind: "image", reference: image };
  const layout = after("oci-layout://", value);
  if (layout !== undefined) return readLayout(layout, cwd);
  if (value.startsWith("target:")) {
    throw new VarveError("USAGE", `invalid build context ${value}: targets are for bake files`, {
      hint: "name a folder, an image or a URL",
    });
  }
  if (/^(?:https?|git|ssh):\/\/|^git@|^github\.com\//.test(value)) return { kind: "url", url: value };
  return { kind: "folder", path: resolve(cwd, value) };
}

function readLayout(text: string, cwd: string): NamedContext {
  const [named, digest] = cut(text, "@");
  const [path, tag] = cut(named, ":");
  return {
    kind: "oci-layout",
    path: resolve(cwd, path),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function after(prefix: string, text: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}
