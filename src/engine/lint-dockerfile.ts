import {
  builderArgs,
  fixDockerfile as applyFixes,
  parseDockerfile,
  type FixedDockerfile,
  type LintWarning,
  type ParsedDockerfile,
} from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import { lintStages, type ResolveImage } from "../frontend/index.ts";
import { parseDigest } from "../oci/index.ts";
import { nativePlatform } from "./build-platforms.ts";
import { toBuildWarning } from "./compile-input.ts";
import type { CheckResult } from "./types.ts";

/** What is known beside the text. */
export interface LintOptions {
  /** As messages name it. */
  readonly file: string;
  /** Patterns of the ignore file, for CopyIgnoredFile. */
  readonly ignorePatterns?: readonly string[];
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Looks at this stage and what it needs; default all. */
  readonly target?: string;
  readonly signal?: AbortSignal;
}

/**
 * Lints a Dockerfile by its text alone: no store, no registry, no network. Base images are guessed to be for the target
 * platform, so InvalidBaseImagePlatform never fires, and in stages on an image UndefinedVar fires only for what looks like a
 * typing error. Never fails for the text's sake: its error is in the answer, as with `Varve.check`.
 */
export async function lintDockerfile(source: string | Uint8Array, options: LintOptions): Promise<CheckResult> {
  const bytes = typeof source === "string" ? Buffer.from(source) : source;
  const found = await lint(bytes, options);
  const warnings = found.warnings.map(toBuildWarning);
  return { warnings, source: { file: options.file, bytes }, ...(found.error === undefined ? {} : { error: found.error }) };
}

/**
 * Puts right what the linter found where that cannot change what the file builds; `unsafe` also where it changes the
 * image. Everything else stays as it is, to the byte. A file that cannot be parsed comes back unchanged.
 */
export async function fixDockerfile(
  source: string | Uint8Array,
  options: LintOptions & { readonly unsafe?: boolean },
): Promise<FixedDockerfile> {
  const bytes = typeof source === "string" ? Buffer.from(source) : source;
  return await applyFixes(bytes, {
    unsafe: options.unsafe === true,
    async lint(text) {
      const { parsed, warnings } = await lint(text, options);
      return parsed === undefined ? undefined : { tree: parsed.tree, warnings };
    },
  });
}

interface Found {
  readonly parsed: ParsedDockerfile | undefined;
  readonly warnings: readonly LintWarning[];
  readonly error: VarveError | undefined;
}

async function lint(bytes: Uint8Array, options: LintOptions): Promise<Found> {
  const { file, ignorePatterns = [], buildArgs = {}, target = "", signal = new AbortController().signal } = options;
  const warnings: LintWarning[] = [];
  let parsed: ParsedDockerfile | undefined;
  try {
    const check = buildArgs[builderArgs.check];
    parsed = parseDockerfile(bytes, { file, check, onWarning: (warning) => void warnings.push(warning) });
    const facts = { linter: parsed.linter, buildPlatform: nativePlatform(), resolveImage: guessImage, buildArgs, ignorePatterns };
    await lintStages(parsed.dockerfile, { ...facts, ...(target === "" ? {} : { target }) }, { signal });
    return { parsed, warnings, error: undefined };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof VarveError) return { parsed, warnings, error };
    throw error;
  }
}

const guessedDigest = parseDigest(`sha256:${"0".repeat(64)}`);

const guessImage: ResolveImage = async (reference, { platform: { os, architecture } }) => ({
  reference,
  digest: guessedDigest,
  config: { os, architecture, config: {}, rootfs: { type: "layers", diff_ids: [guessedDigest] } },
  isGuess: true,
});
