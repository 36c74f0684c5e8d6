import { hash } from "node:crypto";
import { VarveError } from "../errors/index.ts";
import type { SourceOp, Vertex } from "../llb/index.ts";
import type { Ref } from "../snapshots/index.ts";
import type { SolverOp } from "../solver/index.ts";
import { readGitRequest, readHttpRequest, type ImageOrigin, type ImageSource } from "../sources/index.ts";
import type { OpsOptions } from "./create-ops.ts";
import { createGitOp, createHttpOp } from "./remote-op.ts";

/** A source op: a base image, the build context, a file behind a URL or a Git repository. */
export function createSourceOp(vertex: Vertex, { identifier, attrs }: SourceOp, options: OpsOptions): SolverOp<Ref> {
  const [scheme = "", rest = ""] = splitOnce(identifier, "://");
  if (scheme === "docker-image") return createImageOp(vertex, rest, undefined, options);
  if (scheme === "oci-layout") return createImageOp(vertex, rest, layoutOf(attrs, options), options);
  if (scheme === "local") return createFolderOp(vertex, rest, attrs, options);
  if (scheme === "http" || scheme === "https") return createHttpOp(vertex, readHttpRequest(identifier, attrs), options);
  if (scheme === "git") return createGitOp(vertex, readGitRequest(identifier, attrs), options);
  throw new VarveError("OP_UNSUPPORTED", `sources of the kind ${scheme}:// are not supported yet`);
}

/** The key of an image is the chain ID of its layers: where it came from and what it is called change nothing. */
function createImageOp(
  vertex: Vertex,
  reference: string,
  origin: ImageOrigin | undefined,
  { images, onStatus, unread }: OpsOptions,
): SolverOp<Ref> {
  const pinned = { reference, platform: vertex.op.platform, ...(origin && { origin }) };
  return {
    async cacheMap(signal) {
      const chain = await images.chainOf(pinned, { signal });
      return { digest: hash("sha256", JSON.stringify(["image", chain])), dependencies: [] };
    },
    async exec(_, { signal }) {
      const use: Parameters<ImageSource["unpack"]>[1] = { signal, onStatus: (status) => onStatus(vertex.digest, status) };
      return [await (unread.has(vertex.digest) ? images.stackOf(pinned, use) : images.unpack(pinned, use))];
    },
  };
}

/** A layout folder of the build, by the name that the frontend gave it. */
function layoutOf(attrs: SourceOp["attrs"], { layouts }: OpsOptions): ImageOrigin {
  const name = attrs["oci.store"] ?? "";
  const layout = layouts.get(name);
  if (layout === undefined) throw new VarveError("OP_NO_LOCAL", `the build was given no image layout named "${name}"`);
  return layout;
}

/** A local folder is its own result; what is read of it is hashed by those that read it. */
function createFolderOp(vertex: Vertex, name: string, attrs: SourceOp["attrs"], { locals }: OpsOptions): SolverOp<Ref> {
  const local = locals.get(name);
  if (!local) throw new VarveError("OP_NO_LOCAL", `the build was given no folder named "${name}"`);
  const ref: Ref = {
    kind: "folder",
    path: local.path,
    exclude: readList(attrs["local.excludepatterns"]),
    only: readList(attrs["local.followpaths"]),
  };
  return {
    cacheMap: async () => ({ digest: vertex.digest, dependencies: [], volatile: true }),
    exec: async () => [ref],
  };
}

/** List attributes of local sources are JSON (L22). */
function readList(json: string | undefined): string[] {
  return json === undefined || json === "" ? [] : (JSON.parse(json) as string[]);
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
