import { VarveError } from "../errors/index.ts";
import { mediaTypes, sha256, type Digest, type Manifest } from "../oci/index.ts";
import { packageVersion } from "../package/index.ts";

/** Media types of a project in a registry, as Docker Compose 2.40 has them (`compose publish`). */
export const artifactTypes = {
  project: "application/vnd.docker.compose.project",
  file: "application/vnd.docker.compose.file+yaml",
  envFile: "application/vnd.docker.compose.envfile",
  /** Of the config, where a registry knows OCI 1.0 only. */
  emptyConfig: "application/vnd.docker.compose.config.empty.v1+json",
} as const;

const notes = {
  version: "com.docker.compose.version",
  file: "com.docker.compose.file",
  extended: "com.docker.compose.extends",
  envFile: "com.docker.compose.envfile",
} as const;

export type OciVersion = "1.0" | "1.1";

/** A file of a project that is published. */
export interface PublishedFile {
  /** `extended` is one that another one extends. */
  readonly kind: "file" | "extended" | "envFile";
  /** Without folders. */
  readonly name: string;
  readonly text: string;
}

/** The manifest and the blobs of a project's artifact. (OCI image-spec, manifest.md, "Guidelines for Artifact Usage") */
export function makeArtifact(
  files: readonly PublishedFile[],
  { ociVersion, createdMs }: { readonly ociVersion: OciVersion; readonly createdMs: number },
): { readonly manifest: Uint8Array; readonly blobs: readonly Uint8Array[] } {
  const empty = Buffer.from("{}");
  const texts = files.map(({ text }) => Buffer.from(text));
  const layers = files.map(({ kind, name }, index) => ({
    ...describe(texts[index] ?? empty, kind === "envFile" ? artifactTypes.envFile : artifactTypes.file),
    annotations: {
      ...(kind === "envFile" ? { [notes.envFile]: name } : {}),
      ...(kind === "extended" ? { [notes.extended]: "true" } : {}),
      ...(kind === "envFile" ? {} : { [notes.file]: name }),
      [notes.version]: packageVersion(),
    },
    data: (texts[index] ?? empty).toString("base64"),
  }));
  const isNew = ociVersion === "1.1";
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    ...(isNew ? { artifactType: artifactTypes.project } : {}),
    config: { ...describe(empty, isNew ? mediaTypes.ociEmpty : artifactTypes.emptyConfig), data: empty.toString("base64") },
    layers,
    annotations: { "org.opencontainers.image.created": new Date(createdMs).toISOString().replace(/\.\d+Z$/, "Z") },
  };
  return { manifest: Buffer.from(JSON.stringify(document)), blobs: [empty, ...texts] };
}

function describe(bytes: Uint8Array, mediaType: string): { mediaType: string; digest: Digest; size: number } {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

/**
 * The files of a project's artifact, by name: its Compose files are the documents of one `compose.yaml`, beside what that extends and
 * its env_files. Fails with ARTIFACT_NO_PROJECT for what is none, and for names that lead elsewhere.
 */
export function filesOfArtifact(
  name: string,
  { manifest, blobs }: { readonly manifest?: Manifest; readonly blobs: ReadonlyMap<Digest, Uint8Array> },
): ReadonlyMap<string, string> {
  const type = manifest?.artifactType ?? manifest?.config.mediaType;
  if (manifest === undefined || (type !== artifactTypes.project && type !== artifactTypes.emptyConfig))
    throw new VarveError("ARTIFACT_NO_PROJECT", `${name} is not a compose project OCI artifact, but ${type ?? "an index"}`);
  const files = new Map<string, string>();
  for (const { mediaType, digest, annotations = {} } of manifest.layers) {
    const text = Buffer.from(blobs.get(digest) ?? []).toString();
    if (mediaType === artifactTypes.envFile) files.set(plainName(annotations[notes.envFile], name), text);
    else if (mediaType === artifactTypes.file) {
      const file = notes.extended in annotations ? plainName(annotations[notes.file], name) : mainFile;
      const before = files.get(file);
      files.set(file, before === undefined ? text : `${before}\n---\n${text}`);
    }
  }
  if (!files.has(mainFile)) throw new VarveError("ARTIFACT_NO_PROJECT", `${name} has no Compose file`);
  return files;
}

/** What a project from a registry is read from. */
export const mainFile = "compose.yaml";

function plainName(file: string | undefined, name: string): string {
  if (file !== undefined && /^[^/\\\0]+$/.test(file) && file !== "." && file !== ".." && file !== mainFile) return file;
  throw new VarveError("ARTIFACT_NO_PROJECT", `invalid OCI artifact: ${name} has a file ${JSON.stringify(file ?? "")}`);
}
