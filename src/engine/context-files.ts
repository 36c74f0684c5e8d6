import { join } from "node:path";
import { isVarveError } from "../errors/index.ts";
import { compileDockerfile, type FrontendOptions } from "../frontend/index.ts";
import { loadGraph, type Graph, type Vertex } from "../llb/index.ts";
import { parseDigest, type ImageConfig, type Platform } from "../oci/index.ts";
import {
  createPatternMatcher,
  listPaths,
  openDirectoryTree,
  selectorOf,
  wholePath,
  type ContentSelector,
  type PatternMatcher,
  type Tree,
} from "../tree/index.ts";
import type { BuildInput } from "./build-input.ts";
import { frontendOptions, loadDockerfile, withBuildInput } from "./compile-input.ts";
import type { ContextFile, ContextFiles, ContextFilesOptions } from "./context-types.ts";
import type { Parts } from "./parts.ts";

type Options = ContextFilesOptions & { readonly signal: AbortSignal };
type Step = ContextFile["steps"][number];

/**
 * Lists the files of a context with what becomes of them: compiles the Dockerfile and asks each of its steps what it
 * selects, by the same code that builds. Builds nothing, reads no file's content.
 */
export async function listContextFiles(parts: Parts, options: Options): Promise<ContextFiles> {
  const silent = { emit: () => undefined, warn: () => undefined };
  return await withBuildInput(parts, options, {
    emit: silent.emit,
    async work(input) {
      const parsed = await loadDockerfile(input, options, silent);
      const unknownImages: string[] = [];
      const frontend = tolerant(frontendOptions(parts, { input, parsed, options }, silent), unknownImages);
      const compiled = await compileDockerfile(parsed.dockerfile, frontend, { signal: options.signal });
      const steps =
        input.contextPath === undefined
          ? new Map<string, Step[]>()
          : readingSteps(loadGraph(compiled.definition), input.contextPath);
      const files =
        input.contextPath === undefined
          ? []
          : listFiles(input.contextPath, input, { steps, excluded: options.excluded ?? false });
      return {
        ignoreFile: input.ignoreFile,
        target: compiled.targetStage.name || undefined,
        files: files.sort((a, b) => b.sizeBytes - a.sizeBytes || (a.path < b.path ? -1 : 1)),
        folders: totalFolders(files),
        totals: { read: total(files, "read"), unread: total(files, "unread"), excluded: total(files, "excluded") },
        unknownImages,
      };
    },
  });
}

/** Without a registry the answer is as good as without ONBUILD instructions. */
function tolerant(options: FrontendOptions, unknown: string[]): FrontendOptions {
  return {
    ...options,
    async resolveImage(reference, request) {
      try {
        return await options.resolveImage(reference, request);
      } catch (error) {
        if (!isVarveError(error) || error.code === "CANCELED") throw error;
        unknown.push(`${reference.path}${reference.tag === undefined ? "" : `:${reference.tag}`}`);
        return {
          reference: { ...reference, digest: unknownDigest },
          digest: unknownDigest,
          config: emptyConfig(request.platform),
          isGuess: true,
        };
      }
    },
  };
}

function emptyConfig({ os, architecture }: Platform): ImageConfig {
  return { os, architecture, config: {}, rootfs: { type: "layers", diff_ids: [] }, history: [] };
}

const unknownDigest = parseDigest(`sha256:${"0".repeat(64)}`);

/** For each path what reads it. */
function readingSteps(graph: Graph, contextPath: string): Map<string, Step[]> {
  const reads = new Map<string, Step[]>();
  const trees = new Map<string, Tree>();
  try {
    for (const vertex of [...graph.vertices.values()].sort((a, b) => (lineOf(a) ?? 0) - (lineOf(b) ?? 0))) {
      const step = { name: instructionOf(vertex), line: lineOf(vertex) };
      const seen = new Set<string>();
      for (const { input, selector } of selectorsOf(vertex)) {
        const digest = vertex.op.inputs[input]?.digest;
        const source = digest && graph.vertices.get(digest);
        if (source?.op.kind !== "source" || source.op.source.identifier !== "local://context") continue;
        const tree = trees.get(source.digest) ?? openAsBuild(contextPath, source.op.source.attrs);
        trees.set(source.digest, tree);
        for (const path of pathsRead(tree, selector)) seen.add(path);
      }
      for (const path of seen) reads.set(path, [...(reads.get(path) ?? []), step]);
    }
    return reads;
  } finally {
    for (const tree of trees.values()) tree.close();
  }
}

function openAsBuild(path: string, attrs: Readonly<Record<string, string>>): Tree {
  const list = (json: string | undefined): string[] => (json === undefined || json === "" ? [] : (JSON.parse(json) as string[]));
  const only = list(attrs["local.followpaths"]);
  return openDirectoryTree(path, {
    exclude: list(attrs["local.excludepatterns"]),
    ...(only.length > 0 ? { only } : {}),
    resetOwner: true,
  });
}

/** A missing source reads nothing here; that it is missing, the build says. */
function pathsRead(tree: Tree, selector: ContentSelector): string[] {
  try {
    return listPaths(tree, selector);
  } catch (error) {
    if (isVarveError(error) && error.code === "TREE_NOT_FOUND") return [];
    throw error;
  }
}

function selectorsOf({ op }: Vertex): { readonly input: number; readonly selector: ContentSelector }[] {
  if (op.kind === "file") {
    return op.file.actions.flatMap((action) =>
      action.kind === "copy" ? [{ input: action.secondaryInput, selector: selectorOf(action.copy) }] : [],
    );
  }
  if (op.kind !== "exec") return [];
  return op.exec.mounts
    .filter(({ input }) => input >= 0)
    .map(({ input, selector }) => ({ input, selector: wholePath(selector) }));
}

function lineOf({ locations }: Vertex): number | undefined {
  return locations[0]?.ranges[0]?.start.line;
}

/** The step's name without its number. */
function instructionOf({ metadata, op }: Vertex): string {
  return (metadata.description["llb.customname"] ?? op.kind).replace(/^\[[^\]]*\] /, "");
}

function listFiles(
  contextPath: string,
  { ignoreRules, ignorePatterns }: BuildInput,
  { steps, excluded }: { steps: ReadonlyMap<string, Step[]>; excluded: boolean },
): ContextFile[] {
  const everything = openDirectoryTree(contextPath, { resetOwner: true });
  const shown = openDirectoryTree(contextPath, { exclude: ignorePatterns, resetOwner: true });
  const matcher = createPatternMatcher(ignorePatterns);
  const ruleOf = (path: string): ContextFile["rule"] => ignoreRules[matcher.decisiveRule(path)?.index ?? -1];
  const files: ContextFile[] = [];
  try {
    const folders = ["/"];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const entry of everything.children(folder)) {
        const path = entry.path.slice(1);
        if (entry.type === "directory") {
          if (excluded || mayShow(matcher, path)) folders.push(entry.path);
          continue;
        }
        const isHidden = shown.entry(entry.path) === undefined;
        if (isHidden && !excluded) continue;
        const readers = steps.get(entry.path) ?? [];
        const state = isHidden ? "excluded" : readers.length > 0 ? "read" : "unread";
        files.push({ path, sizeBytes: entry.size, state, rule: ruleOf(path), steps: readers });
      }
    }
    return files;
  } finally {
    everything.close();
    shown.close();
  }
}

function mayShow(matcher: PatternMatcher, path: string): boolean {
  return !matcher.matches(path) || matcher.mayUnmatchBelow(path);
}

function total(files: readonly ContextFile[], state: ContextFile["state"]): { files: number; sizeBytes: number } {
  const these = files.filter((file) => file.state === state);
  return { files: these.length, sizeBytes: these.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

function totalFolders(files: readonly ContextFile[]): ContextFiles["folders"] {
  const folders = new Map<string, { files: number; sizeBytes: number }>();
  for (const { path, sizeBytes, state } of files) {
    if (state !== "read") continue;
    for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
      const sum = folders.get(path.slice(0, at)) ?? { files: 0, sizeBytes: 0 };
      folders.set(path.slice(0, at), { files: sum.files + 1, sizeBytes: sum.sizeBytes + sizeBytes });
    }
  }
  const rows = Array.from(folders, ([path, sum]) => ({ path: join(path, "/"), ...sum }));
  return rows.sort((a, b) => b.sizeBytes - a.sizeBytes || (a.path < b.path ? -1 : 1));
}
