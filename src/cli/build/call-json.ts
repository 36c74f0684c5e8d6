import type { BuildOutline, BuildTargets, CheckResult, DockerfileText } from "../../engine/index.ts";
import type { SourceRange } from "../../errors/index.ts";
import { encodeGoJson } from "../../oci/index.ts";

/*
 * The answers of `--call` as JSON: the shapes of BuildKit's `frontend/subrequests`. What Go leaves out when it is empty is
 * left out here too. The definition of a source, an LLB graph that reads the file, is not in them.
 */

const toJson = (value: unknown): string => encodeGoJson(value, { indent: 2 });

/** `--call=check,format=json` (N36). */
export function checkJson({ warnings, error, source }: CheckResult): string {
  return toJson({
    warnings:
      warnings.length === 0
        ? null
        : warnings.map(({ rule, description, url, message, where }) => ({
            ruleName: rule,
            description: filled(description),
            url: filled(url),
            detail: message,
            location: locationOf(where),
          })),
    sources: [{ filename: source.file, data: base64(source), language: "Dockerfile" }],
    ...(error === undefined ? {} : { buildError: { message: error.message, location: locationOf(error.where) ?? {} } }),
  });
}

/** `--call=outline,format=json`. */
export function outlineJson({ name, description, args, secrets, ssh, source }: BuildOutline): string {
  const needs = (list: typeof secrets) =>
    list.length === 0
      ? undefined
      : list.map((need) => ({ name: need.name, ...(need.required ? { required: true } : {}), location: locationOf(need.where) }));
  return toJson({
    name: filled(name),
    description: filled(description),
    args:
      args.length === 0
        ? undefined
        : args.map((arg) => ({
            name: arg.name,
            description: filled(arg.description),
            value: filled(arg.value),
            location: locationOf(arg.where),
          })),
    secrets: needs(secrets),
    ssh: needs(ssh),
    sources: [base64(source)],
  });
}

/** `--call=targets,format=json`. */
export function targetsJson({ targets, source }: BuildTargets): string {
  return toJson({
    targets: targets.map(({ name, isDefault, description, base, platform, where }) => ({
      name: filled(name),
      default: isDefault ? true : undefined,
      description: filled(description),
      base: filled(base),
      platform: filled(platform),
      location: locationOf(where),
    })),
    sources: [base64(source)],
  });
}

const results = [
  { name: "result.json", description: "" },
  { name: "result.txt", description: "" },
];

/** The questions that `--call=subrequests.describe` lists: as BuildKit does, check is not among them. */
export const subrequests = [
  {
    name: "frontend.outline",
    version: "1.0.0",
    type: "rpc",
    description: "List all parameters current build target supports",
    opts: [{ name: "target", description: "Target build stage" }],
    inputs: null,
    metadata: results,
    refs: null,
  },
  {
    name: "frontend.targets",
    version: "1.0.0",
    type: "rpc",
    description: "List all targets current build supports",
    opts: [],
    inputs: null,
    metadata: results,
    refs: null,
  },
  {
    name: "frontend.subrequests.describe",
    version: "1.0.0",
    type: "rpc",
    description: "List available subrequest types",
    opts: null,
    inputs: null,
    metadata: results,
    refs: null,
  },
] as const;

/** `--call=subrequests.describe,format=json`. */
export function describeJson(): string {
  return toJson(subrequests);
}

/** One range for each line, columns left out: that is how BuildKit's parser knows places. */
function locationOf(where: SourceRange | undefined): unknown {
  if (where === undefined) return undefined;
  const count = where.endLine - where.startLine + 1;
  const lines = Array.from({ length: count }, (_, index) => where.startLine + index);
  return { ranges: lines.map((line) => ({ start: { line }, end: { line } })) };
}

function filled(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function base64({ bytes }: DockerfileText): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
