import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { VarveError } from "../errors/index.ts";
import type { FrontendOptions } from "../frontend/index.ts";
import { parseDigest } from "../oci/index.ts";
import { findInLayout, openImageLayout, type ImageOrigin } from "../sources/index.ts";
import { parseIgnoreFile } from "../tree/index.ts";
import type { BuildOptions, NamedContext } from "./types.ts";

/** The named contexts of a build, looked at: what the frontend is told of them, and where the ops find them. */
export interface OpenContexts {
  readonly contexts: NonNullable<FrontendOptions["contexts"]>;
  /** Folders by the name of their local source. */
  readonly locals: ReadonlyMap<string, { readonly path: string }>;
  /** Image layout folders by name. */
  readonly layouts: ReadonlyMap<string, ImageOrigin>;
}

/** Looks at the named contexts of a build (X08-X12). Fails with CONTEXT_NOT_FOUND, LAYOUT_INVALID, LAYOUT_NO_IMAGE. */
export async function openContexts(given: BuildOptions["contexts"] = {}): Promise<OpenContexts> {
  const contexts: Record<string, OpenContexts["contexts"][string]> = {};
  const locals = new Map<string, { readonly path: string }>();
  const layouts = new Map<string, ImageOrigin>();
  for (const [name, context] of Object.entries(given)) {
    switch (context.kind) {
      case "folder": {
        // apart from the build's own context, whose source is called "context"
        const source = `_${name}`;
        locals.set(source, { path: resolve(context.path) });
        contexts[name] = { kind: "local", source, ignorePatterns: readIgnorePatterns(name, context.path) };
        break;
      }
      case "oci-layout": {
        const path = resolve(context.path);
        layouts.set(name, openImageLayout(path));
        contexts[name] = { kind: "oci-layout", layout: name, digest: await digestOf(context, path) };
        break;
      }
      case "image":
        contexts[name] = { kind: "image", reference: context.reference };
        break;
      case "url":
        contexts[name] = { kind: "remote", url: context.url };
        break;
    }
  }
  return { contexts, locals, layouts };
}

async function digestOf(
  { tag, digest }: Extract<NamedContext, { kind: "oci-layout" }>,
  path: string,
): Promise<ReturnType<typeof parseDigest>> {
  return digest === undefined ? await findInLayout(path, tag ?? "latest") : parseDigest(digest);
}

/** A named context has the ignore file in its own root, and no other (G03). */
function readIgnorePatterns(name: string, path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new VarveError("CONTEXT_NOT_FOUND", `failed to get build context ${name}: ${path} is no folder`);
  }
  const file = join(path, ".dockerignore");
  try {
    return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? parseIgnoreFile(readFileSync(file, "utf8")) : [];
  } catch (cause) {
    throw new VarveError("CONTEXT_NOT_FOUND", `failed to get build context ${name}: cannot read ${file}`, { cause });
  }
}
