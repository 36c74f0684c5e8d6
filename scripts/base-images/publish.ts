// Turns the archives of make.sh into OCI images and pushes them to a registry: node publish.ts http://127.0.0.1:5000 FOLDER
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, openAsBlob } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { arch } from "node:process";
import { createGzip } from "node:zlib";

type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number };
type Platform = { readonly architecture: string; readonly os: string; readonly variant?: string };
type Layer = { readonly blob: Descriptor; readonly diffId: string };
type Image = {
  readonly repository: string;
  readonly tags: readonly string[];
  /** Archives of make.sh without their ".tar", lowest first. */
  readonly layers: readonly string[];
  readonly config: { readonly Env: readonly string[]; readonly Cmd: readonly string[]; readonly WorkingDir?: string };
};

const created = "2025-06-01T00:00:00Z"; // as SOURCE_DATE_EPOCH in make.sh
const plain = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
const go = [
  "PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "GOTOOLCHAIN=local",
  "GOPATH=/go",
];
const images: readonly Image[] = [
  { repository: "library/busybox", tags: ["latest"], layers: ["busybox"], config: { Env: plain, Cmd: ["sh"] } },
  { repository: "library/alpine", tags: ["3.22", "latest"], layers: ["alpine"], config: { Env: plain, Cmd: ["/bin/sh"] } },
  { repository: "library/debian", tags: ["trixie", "latest"], layers: ["debian"], config: { Env: plain, Cmd: ["bash"] } },
  {
    repository: "library/golang",
    tags: ["1.24", "latest"],
    layers: ["golang"],
    config: { Env: go, Cmd: ["bash"], WorkingDir: "/go" },
  },
  {
    repository: "golangci/golangci-lint",
    tags: ["v2.5.0", "latest"],
    layers: ["golang", "golangci-lint"],
    config: { Env: [...go, "CGO_ENABLED=0"], Cmd: ["golangci-lint"] },
  },
];

const digestOf = (bytes: string | Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

async function request(method: string, url: string | URL, body?: Blob, type?: string): Promise<Response> {
  const headers = type === undefined ? {} : { "content-type": type };
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  if (!response.ok) throw new Error(`${method} ${String(url)} answered ${response.status}: ${await response.text()}`);
  return response;
}

async function pushBlob(registry: string, repository: string, digest: string, body: Blob): Promise<void> {
  const known = await fetch(`${registry}/v2/${repository}/blobs/${digest}`, { method: "HEAD" });
  if (known.ok) return;
  const start = await request("POST", `${registry}/v2/${repository}/blobs/uploads/`);
  const place = new URL(start.headers.get("location") ?? "", registry);
  place.searchParams.set("digest", digest);
  await request("PUT", place, body, "application/octet-stream");
}

/** Pushes a document that names what was pushed before it, under a tag or its digest. */
async function pushManifest(
  registry: string,
  repository: string,
  tag: string | undefined,
  mediaType: string,
  value: object,
): Promise<Descriptor> {
  const text = JSON.stringify({ schemaVersion: 2, mediaType, ...value });
  const digest = digestOf(text);
  await request("PUT", `${registry}/v2/${repository}/manifests/${tag ?? digest}`, new Blob([text]), mediaType);
  return { mediaType, digest, size: Buffer.byteLength(text) };
}

async function compress(folder: string, name: string): Promise<Layer> {
  const diff = createHash("sha256");
  const source = createReadStream(join(folder, `${name}.tar`), { highWaterMark: 1 << 20 });
  source.on("data", (chunk) => diff.update(chunk));
  const blob = createHash("sha256");
  let size = 0;
  const packed = createGzip({ chunkSize: 1 << 18 });
  packed.on("data", (chunk: Buffer) => {
    blob.update(chunk);
    size += chunk.length;
  });
  await pipeline(source, packed, createWriteStream(join(folder, `${name}.tar.gz`)));
  return {
    blob: { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: `sha256:${blob.digest("hex")}`, size },
    diffId: `sha256:${diff.digest("hex")}`,
  };
}

/** The platforms, this machine's first. Archives for the others end in `.ARCHITECTURE.tar`. */
function platforms(): { readonly platform: Platform; readonly suffix: string }[] {
  const own = { x64: "amd64", arm64: "arm64" }[String(arch)];
  if (own === undefined) throw new Error(`no image architecture is known for Node's "${arch}"`);
  const variants: Readonly<Record<string, string>> = { arm64: "v8", arm: "v7" }; // as Docker Hub's images say
  return [own, ...["amd64", "arm64", "arm"].filter((architecture) => architecture !== own)].map((architecture) => {
    const variant = variants[architecture];
    const platform = { architecture, os: "linux", ...(variant === undefined ? {} : { variant }) };
    return { platform, suffix: architecture === own ? "" : `.${architecture}` };
  });
}

async function publish(registry: string, folder: string): Promise<void> {
  const layers = new Map<string, Layer>();
  for (const image of images) {
    const manifests: (Descriptor & { readonly platform: Platform })[] = [];
    for (const { platform, suffix } of platforms()) {
      const names = image.layers.map((name) => `${name}${suffix}`);
      if (!names.every((name) => existsSync(join(folder, `${name}.tar`)))) continue;
      manifests.push({ ...(await pushImage({ ...image, layers: names }, platform)), platform });
    }
    for (const tag of image.tags) {
      const { digest } = await pushManifest(registry, image.repository, tag, "application/vnd.oci.image.index.v1+json", {
        manifests,
      });
      console.log(`  ${image.repository.replace(/^library\//, "")}:${tag} ${digest}`);
    }
  }

  async function pushImage({ repository, layers: names, config }: Image, platform: Platform): Promise<Descriptor> {
    const parts: Layer[] = [];
    for (const name of names) {
      const layer = layers.get(name) ?? (await compress(folder, name));
      layers.set(name, layer);
      parts.push(layer);
      await pushBlob(registry, repository, layer.blob.digest, await openAsBlob(join(folder, `${name}.tar.gz`)));
    }
    const Labels = { "org.opencontainers.image.description": `Varve's stand-in for ${repository}, made of Debian's packages` };
    const history = names.map((name) => ({ created, created_by: `scripts/base-images/make.sh # ${name}` }));
    const rootfs = { type: "layers", diff_ids: parts.map((part) => part.diffId) };
    const image = JSON.stringify({ created, ...platform, config: { ...config, Labels }, rootfs, history });
    const imageDigest = digestOf(image);
    await pushBlob(registry, repository, imageDigest, new Blob([image]));
    return await pushManifest(registry, repository, undefined, "application/vnd.oci.image.manifest.v1+json", {
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: imageDigest, size: Buffer.byteLength(image) },
      layers: parts.map((part) => part.blob),
    });
  }
}

const [registry, folder] = process.argv.slice(2);
if (registry === undefined || folder === undefined) throw new Error("usage: publish.ts REGISTRY_URL FOLDER");
await publish(registry, folder);
