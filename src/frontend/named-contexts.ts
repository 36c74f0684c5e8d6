import { VarveError } from "../errors/index.ts";
import { plainCopy } from "../llb/index.ts";
import {
  familiarReference,
  formatPlatform,
  normalizePlatform,
  parseReference,
  withDefaultTag,
  type ImageReference,
  type Platform,
} from "../oci/index.ts";
import type { Compilation } from "./compilation.ts";
import { fileNode } from "./file-node.ts";
import { named, type Output } from "./node.ts";
import type { NamedContext, ResolvedImage } from "./options.ts";
import { createContextSource, imageSource, type ContextSource } from "./source-nodes.ts";
import { remoteContext, remoteContextSource } from "./remote-context.ts";
import type { StageState } from "./stage.ts";

/** A named context that a stage or an image turned out to be; `name` is the one it was found by. */
export interface FoundContext {
  readonly name: string;
  readonly context: NamedContext;
}

/** Named contexts by their normal names. */
export type NamedContexts = ReadonlyMap<string, NamedContext>;

/** Names that no named context takes the place of (S06). */
const reserved: ReadonlySet<string> = new Set(["scratch", "context"]);

/** The contexts by normal name: as image references are shortened, without `latest` (X13). Others are refused. */
export function readContextNames(contexts: Readonly<Record<string, NamedContext>>): NamedContexts {
  return new Map(
    Object.entries(contexts).map(([given, context]) => {
      const [name = "", platform] = given.split("::");
      const normal = normalName(name);
      if (normal === undefined)
        throw new VarveError("FRONTEND_VALUE_INVALID", `invalid context name ${name}`, {
          hint: "it has the form of an image name",
        });
      return [platform === undefined ? normal : `${normal}::${platform}`, context];
    }),
  );
}

/** What replaces a stage or an image of this name, if anything: first the context for the platform alone (X13). */
export function findNamedContext(name: string, platform: Platform, contexts: NamedContexts): FoundContext | undefined {
  if (contexts.size === 0 || reserved.has(name.toLowerCase())) return undefined;
  const normal = normalName(name);
  if (normal === undefined) return undefined;
  for (const key of [`${normal}::${formatPlatform(normalizePlatform(platform))}`, normal]) {
    const context = contexts.get(key);
    if (context !== undefined) return { name: key, context };
  }
  return undefined;
}

function normalName(name: string): string | undefined {
  try {
    return familiarReference(parseReference(name)).replace(/:latest$/, "");
  } catch (error) {
    if (error instanceof VarveError) return undefined;
    throw error;
  }
}

/** What a named context gives a stage to start from. */
export interface LoadedContext {
  readonly root: Output | undefined;
  /** A folder: it learns which paths are read. */
  readonly folder: ContextSource | undefined;
  readonly image: ResolvedImage | undefined;
}

/** Makes the source of a named context; images are looked up. A folder is one source however often it is used. */
export async function loadNamedContext(
  { name, context }: FoundContext,
  {
    stage,
    platform,
    compilation,
    signal,
  }: { readonly stage: StageState; readonly platform: Platform; readonly compilation: Compilation; readonly signal: AbortSignal },
): Promise<LoadedContext> {
  switch (context.kind) {
    case "local": {
      const folder = compilation.namedFolders.get(name) ?? folderSource(name, context);
      compilation.namedFolders.set(name, folder);
      return { root: folder.output, folder, image: undefined };
    }
    case "remote": {
      const remote = remoteContext(context.url, {});
      if (remote === undefined)
        throw new VarveError("FRONTEND_VALUE_INVALID", `the context ${name} is no URL: ${context.url}`).at(stage.where);
      return { root: remoteContextSource(remote).output, folder: undefined, image: undefined };
    }
    case "image":
    case "oci-layout": {
      if (context.kind === "image" && context.reference === "scratch")
        return { root: undefined, folder: undefined, image: undefined };
      const { reference, layout } = referenceOf(name, context);
      const wanted = normalizePlatform(platform);
      const request = {
        platform: wanted,
        stageName: stage.label === "" ? stage.baseName : stage.label,
        context: name,
        where: stage.where,
        signal,
      };
      const image = await compilation.options.resolveImage(reference, layout === undefined ? request : { ...request, layout });
      const pinned: ImageReference = { ...image.reference, digest: image.digest };
      const title = context.kind === "image" ? context.reference : "OCI load from client";
      const root = imageSource(pinned, {
        platform: wanted,
        name: `[context ${name}] ${title}`,
        command: undefined,
        lines: [],
        ...(layout === undefined ? {} : { layout }),
      });
      return { root, folder: undefined, image };
    }
  }
}

type ImageContext = Extract<NamedContext, { kind: "image" | "oci-layout" }>;

/** A layout's image has no name of its own in this build: it goes by the context's. */
function referenceOf(
  name: string,
  context: ImageContext,
): { readonly reference: ImageReference; readonly layout: string | undefined } {
  if (context.kind === "image") return { reference: withDefaultTag(parseReference(context.reference)), layout: undefined };
  const { domain, path } = parseReference(name.replace(/::.*$/, ""));
  return { reference: { domain, path, digest: context.digest }, layout: context.layout };
}

function folderSource(name: string, { source, ignorePatterns }: Extract<NamedContext, { kind: "local" }>): ContextSource {
  return createContextSource({
    name: source,
    ignorePatterns,
    title: `[context ${name}] load from client`,
    sharedKeyHint: `context:${name}-`,
  });
}

/** A folder as the root of a stage: a copy of all of it, for steps write into their root. */
export function folderAsRoot(folder: ContextSource): Output {
  folder.use("/");
  const copy = { ...plainCopy, src: "/", dest: "/", dirCopyContents: true };
  return fileNode(undefined, [{ kind: "copy", source: folder.output, copy, owner: undefined }], {
    metadata: named("[internal] copy of the context", ["file.base"]),
    lines: [],
  });
}
