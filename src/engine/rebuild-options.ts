import { relative } from "node:path";
import { VarveError } from "../errors/index.ts";
import type { BuildRecord } from "../history/index.ts";
import type { BuildOptions, ImageOutput, NamedContext } from "./types.ts";
import type { VerifyOptions } from "./verify-types.ts";

/**
 * What the record of a build asks for, to be built again without the cache and without names. Fails with REBUILD_IMPOSSIBLE where
 * the record does not say what was built: a context or a Dockerfile from a stream.
 */
export function rebuildOptions({ options: recorded, ref }: BuildRecord, given: VerifyOptions): BuildOptions {
  const { context, secrets, ssh } = given;
  const { target, platforms, contexts = {}, buildArgs = {}, labels = {}, network, shmSizeBytes, allow } = recorded;
  const missing = (recorded.secrets ?? []).filter((id) => secrets === undefined || !Object.hasOwn(secrets, id));
  if (missing.length > 0)
    throw new VarveError("REBUILD_IMPOSSIBLE", `the build ${ref} was given secrets that are not kept: ${missing.join(", ")}`, {
      hint: "give them again with --secret",
    });
  return {
    context: context ?? readContext(recorded.context, ref),
    ...readDockerfile(recorded, ref, given),
    contexts: Object.fromEntries(Object.entries(contexts).map(([name, text]) => [name, readNamedContext(text)])),
    buildArgs,
    labels,
    noCache: true,
    outputs: [imageOutput(recorded)],
    ...(target === undefined ? {} : { target }),
    ...(platforms === undefined ? {} : { platforms }),
    ...(network === "none" || network === "host" ? { network } : {}),
    ...(shmSizeBytes === undefined ? {} : { shmSizeBytes }),
    ...(allow === undefined ? {} : { allow: allow as NonNullable<BuildOptions["allow"]> }),
    extraHosts: (recorded.extraHosts ?? []).map((text) => {
      const equals = text.indexOf("=");
      return { host: text.slice(0, equals), ip: text.slice(equals + 1) };
    }),
    ulimits: (recorded.ulimits ?? []).map((text) => {
      const [name = "", soft = "", hard = ""] = text.split(/[=:]/);
      return { name, soft: Number(soft), hard: Number(hard) };
    }),
    ...(secrets === undefined ? {} : { secrets }),
    ...(ssh === undefined ? {} : { ssh }),
  };
}

/** Into the store, with the settings of the first output that made an image. */
function imageOutput({ outputs = [] }: BuildRecord["options"]): ImageOutput {
  const made = outputs.find(({ type }) => type === "image" || type === "oci" || type === "docker");
  return {
    type: "image",
    ...(made?.rewriteTimestamp === true ? { rewriteTimestamp: true } : {}),
    ...(made?.sourceDateEpoch === undefined ? {} : { sourceDateEpoch: made.sourceDateEpoch }),
  };
}

function readContext(text: string, ref: string): BuildOptions["context"] {
  if (text === "-" || text === "")
    throw new VarveError("REBUILD_IMPOSSIBLE", `the context of the build ${ref} came from a stream and is not kept`, {
      hint: "name it with --context",
    });
  return text.startsWith("/") ? { kind: "folder", path: text } : { kind: "remote", url: text };
}

function readDockerfile(
  recorded: BuildRecord["options"],
  ref: string,
  given: Pick<VerifyOptions, "context" | "dockerfile">,
): Pick<BuildOptions, "dockerfile"> {
  if (given.dockerfile !== undefined) return { dockerfile: given.dockerfile };
  const { dockerfile: text, context } = recorded;
  if (text === "-")
    throw new VarveError("REBUILD_IMPOSSIBLE", `the Dockerfile of the build ${ref} came from a stream and is not kept`, {
      hint: "name it with --file",
    });
  if (/^https?:\/\//.test(text)) return { dockerfile: { url: text } };
  // In a context that moved the Dockerfile has the same place as in the old one.
  const inside = context.startsWith("/") ? relative(context, text) : text;
  if (given.context?.kind === "folder" && !inside.startsWith(".."))
    return { dockerfile: { path: `${given.context.path}/${inside}` } };
  return { dockerfile: { path: text } };
}

function readNamedContext(text: string): NamedContext {
  const image = /^docker-image:\/\/(.*)$/.exec(text)?.[1];
  if (image !== undefined) return { kind: "image", reference: image };
  const layout = /^oci-layout:\/\/(.*?)(?::([^/:@]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(text);
  if (layout !== null) {
    const [, path = "", tag, digest] = layout;
    return { kind: "oci-layout", path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
  }
  return text.startsWith("/") ? { kind: "folder", path: text } : { kind: "url", url: text };
}
