import { readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { VarveError } from "../errors/index.ts";
import { parseIgnoreFile } from "../tree/index.ts";
import type { BuildOptions } from "./types.ts";

/** What a build reads from: the folder, the Dockerfile's text and the ignore patterns. */
export interface BuildInput {
  /** Undefined for an empty context. */
  readonly contextPath: string | undefined;
  /** As shown in messages. */
  readonly dockerfileName: string;
  readonly dockerfile: Uint8Array;
  readonly ignorePatterns: readonly string[];
  /** Name of the ignore file that was used. */
  readonly ignoreFile: string | undefined;
}

const namesInContext = ["Dockerfile", "dockerfile"];

/** Finds and reads the Dockerfile (X01) and the ignore file (G01). */
export function readBuildInput(contextPath: string | undefined, options: Pick<BuildOptions, "dockerfile">): BuildInput {
  if (contextPath !== undefined && !statSync(contextPath, { throwIfNoEntry: false })?.isDirectory()) {
    throw new VarveError("CONTEXT_NOT_FOUND", `unable to prepare context: path "${contextPath}" not found or not a folder`);
  }
  const { dockerfile } = options;
  if (dockerfile && "text" in dockerfile) {
    const bytes = typeof dockerfile.text === "string" ? Buffer.from(dockerfile.text) : dockerfile.text;
    return { contextPath, dockerfileName: dockerfile.name ?? "Dockerfile", dockerfile: bytes, ...readIgnoreFile(contextPath, undefined) };
  }
  const path = dockerfile ? dockerfile.path : findInContext(contextPath);
  const bytes = readOptional(path);
  if (bytes === undefined) {
    throw new VarveError("DOCKERFILE_NOT_FOUND", `failed to read dockerfile: open ${basename(path)}: no such file or directory`, {
      hint: `looked for ${path}; another file is named with -f`,
    });
  }
  return { contextPath, dockerfileName: basename(path), dockerfile: bytes, ...readIgnoreFile(contextPath, path) };
}

function findInContext(contextPath: string | undefined): string {
  const folder = contextPath ?? ".";
  return namesInContext.map((name) => join(folder, name)).find((path) => statSync(path, { throwIfNoEntry: false })) ?? join(folder, "Dockerfile");
}

/** `NAME.dockerignore` beside the Dockerfile wins over the context's own; the two are not merged. */
function readIgnoreFile(contextPath: string | undefined, dockerfilePath: string | undefined): Pick<BuildInput, "ignorePatterns" | "ignoreFile"> {
  const candidates = [
    ...(dockerfilePath === undefined ? [] : [`${resolve(dockerfilePath)}.dockerignore`]),
    ...(contextPath === undefined ? [] : [join(contextPath, ".dockerignore")]),
  ];
  for (const path of candidates) {
    const bytes = readOptional(path);
    if (bytes) return { ignorePatterns: parseIgnoreFile(bytes.toString("utf8")), ignoreFile: basename(path) };
  }
  return { ignorePatterns: [], ignoreFile: undefined };
}

function readOptional(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new VarveError("DOCKERFILE_NOT_FOUND", `cannot read ${path}: ${code}`, { cause: error });
  }
}
