import { hash } from "node:crypto";
import { VarveError } from "../errors/index.ts";
import type { SourceOp, Vertex } from "../llb/index.ts";
import type { Ref } from "../snapshots/index.ts";
import type { SolverOp } from "../solver/index.ts";
import type { OpsOptions } from "./create-ops.ts";

/** A source op: a base image or the build context. */
export function createSourceOp(vertex: Vertex, { identifier, attrs }: SourceOp, options: OpsOptions): SolverOp<Ref> {
  const [scheme = "", rest = ""] = splitOnce(identifier, "://");
  if (scheme === "docker-image") return createImageOp(vertex, rest, options);
  if (scheme === "local") return createFolderOp(vertex, rest, attrs, options);
  throw new VarveError("OP_UNSUPPORTED", `sources of the kind ${scheme}:// are not supported yet`);
}

/** The key of an image is the chain ID of its layers: where it came from and what it is called change nothing. */
function createImageOp(vertex: Vertex, reference: string, { images, onStatus }: OpsOptions): SolverOp<Ref> {
  const { platform } = vertex.op;
  return {
    async cacheMap(signal) {
      const chain = await images.chainOf(reference, platform, { signal });
      return { digest: hash("sha256", JSON.stringify(["image", chain])), dependencies: [] };
    },
    exec: async (_, { signal }) => [await images.unpack(reference, platform, { signal, onStatus: (status) => onStatus(vertex.digest, status) })],
  };
}

/** A local folder is its own result; what is read of it is hashed by those that read it. */
function createFolderOp(vertex: Vertex, name: string, attrs: SourceOp["attrs"], { locals }: OpsOptions): SolverOp<Ref> {
  const local = locals.get(name);
  if (!local) throw new VarveError("OP_NO_LOCAL", `the build was given no folder named "${name}"`);
  const ref: Ref = { kind: "folder", path: local.path, exclude: readList(attrs["local.excludepatterns"]), only: readList(attrs["local.followpaths"]) };
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
