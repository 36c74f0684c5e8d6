import { closeSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { VarveError } from "../errors/index.ts";
import { openDirectoryTree, parseIgnoreRules, type IgnoreRule } from "../tree/index.ts";
import type { BuildOptions } from "./types.ts";

/** What a build reads from: the folder, the Dockerfile's text and the ignore patterns. */
export interface BuildInput {
  /** Undefined for an empty context. */
  readonly contextPath: string | undefined;
  /** As shown in messages. */
  readonly dockerfileName: string;
  readonly dockerfile: Uint8Array;
  /** Where the Dockerfile stands on this machine, for one that the build does not unpack first. */
  readonly dockerfilePath?: string;
  readonly ignorePatterns: readonly string[];
  /** The same with their lines. */
  readonly ignoreRules: readonly IgnoreRule[];
  /** Name of the ignore file that was used. */
  readonly ignoreFile: string | undefined;
}

/** A Dockerfile that is not fetched. */
export type DockerfileInput = Exclude<NonNullable<BuildOptions["dockerfile"]>, { readonly url: string }>;

const namesInContext = ["Dockerfile", "dockerfile"];

/**
 * Finds and reads the Dockerfile (X01) and the ignore file (G01). With `contained` the context came from elsewhere: the
 * Dockerfile is a path in it, and no link in it leads out.
 */
export function readBuildInput(
  contextPath: string | undefined,
  { dockerfile, contained = false }: { readonly dockerfile?: DockerfileInput; readonly contained?: boolean },
): BuildInput {
  if (contained && contextPath !== undefined) return readContained(contextPath, dockerfile);
  if (contextPath !== undefined && !statSync(contextPath, { throwIfNoEntry: false })?.isDirectory()) {
    throw new VarveError("CONTEXT_NOT_FOUND", `unable to prepare context: path "${contextPath}" not found or not a folder`);
  }
  if (dockerfile && "text" in dockerfile) {
    const bytes = typeof dockerfile.text === "string" ? Buffer.from(dockerfile.text) : dockerfile.text;
    return {
      contextPath,
      dockerfileName: dockerfile.name ?? "Dockerfile",
      dockerfile: bytes,
      ...readIgnoreFile(contextPath, undefined),
    };
  }
  const path = dockerfile ? dockerfile.path : findInContext(contextPath);
  const bytes = readOptional(path);
  if (bytes === undefined) throw notFound(path);
  return {
    contextPath,
    dockerfileName: basename(path),
    dockerfile: bytes,
    dockerfilePath: resolve(path),
    ...readIgnoreFile(contextPath, path),
  };
}

function readContained(contextPath: string, dockerfile: DockerfileInput | undefined): BuildInput {
  const tree = openDirectoryTree(contextPath, { resetOwner: true });
  const read = (path: string): Buffer | undefined => {
    const entry = tree.entry(tree.resolve(path, { followLast: true }));
    if (entry?.type !== "file") return undefined;
    refuseLarge(path, entry.size);
    const file = tree.openFile(entry);
    try {
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  };
  try {
    const named = dockerfile && "path" in dockerfile ? [dockerfile.path] : namesInContext;
    const found = named.map((path) => ({ path, bytes: read(path) })).find(({ bytes }) => bytes);
    const text = dockerfile && "text" in dockerfile ? Buffer.from(dockerfile.text) : found?.bytes;
    if (!text) throw notFound(named[0] ?? "Dockerfile");
    return {
      contextPath,
      dockerfileName: basename(found?.path ?? "Dockerfile"),
      dockerfile: text,
      // An ignore file there hides nothing: it is read only of folders of the user's (G02).
      ...readRules(undefined),
      ignoreFile: undefined,
    };
  } finally {
    tree.close();
  }
}

function notFound(path: string): VarveError {
  return new VarveError("DOCKERFILE_NOT_FOUND", `failed to read dockerfile: open ${basename(path)}: no such file or directory`, {
    hint: `looked for ${path}; another file is named with -f`,
  });
}

function findInContext(contextPath: string | undefined): string {
  const folder = contextPath ?? ".";
  return (
    namesInContext.map((name) => join(folder, name)).find((path) => statSync(path, { throwIfNoEntry: false })) ??
    join(folder, "Dockerfile")
  );
}

/** The ignore patterns of a Dockerfile; its own folder is the context unless another is named. */
export function readIgnorePatterns(dockerfilePath: string, contextPath = dirname(dockerfilePath)): readonly string[] {
  return readIgnoreFile(contextPath, dockerfilePath).ignorePatterns;
}

/** `NAME.dockerignore` beside the Dockerfile wins over the context's own; the two are not merged. */
function readIgnoreFile(
  contextPath: string | undefined,
  dockerfilePath: string | undefined,
): Pick<BuildInput, "ignorePatterns" | "ignoreRules" | "ignoreFile"> {
  const candidates = [
    ...(dockerfilePath === undefined ? [] : [`${resolve(dockerfilePath)}.dockerignore`]),
    ...(contextPath === undefined ? [] : [join(contextPath, ".dockerignore")]),
  ];
  for (const path of candidates) {
    const bytes = readOptional(path);
    if (bytes) return { ...readRules(bytes), ignoreFile: basename(path) };
  }
  return { ...readRules(undefined), ignoreFile: undefined };
}

function readRules(bytes: Buffer | undefined): Pick<BuildInput, "ignorePatterns" | "ignoreRules"> {
  const ignoreRules = bytes === undefined ? [] : parseIgnoreRules(bytes.toString("utf8"));
  return { ignoreRules, ignorePatterns: ignoreRules.map(({ pattern }) => pattern) };
}

/** A longer Dockerfile or ignore file is none. */
const maxInputBytes = 16 * 1024 * 1024;

function refuseLarge(path: string, size: number): void {
  if (size <= maxInputBytes) return;
  throw new VarveError(
    "DOCKERFILE_TOO_LARGE",
    `${basename(path)} has ${size} bytes, more than the limit maxInputBytes of ${maxInputBytes}`,
    {
      details: { limit: "maxInputBytes", value: maxInputBytes },
    },
  );
}

function readOptional(path: string): Buffer | undefined {
  try {
    refuseLarge(path, statSync(path).size);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof VarveError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new VarveError("DOCKERFILE_NOT_FOUND", `cannot read ${path}: ${code}`, { cause: error });
  }
}
