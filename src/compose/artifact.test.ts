import assert from "node:assert/strict";
import test from "node:test";
import { parseManifest, sha256, type Manifest } from "../oci/index.ts";
import { artifactTypes, filesOfArtifact, makeArtifact, type OciVersion, type PublishedFile } from "./artifact.ts";
import { digestsFile, resolveImages } from "./image-digests.ts";
import { projectOf } from "./project-fixture.test.ts";
import { findSensitiveTexts } from "./sensitive-texts.ts";

const files: readonly PublishedFile[] = [
  { kind: "file", name: "compose.yaml", text: "services: {}" },
  { kind: "file", name: "over.yaml", text: "services: {web: {}}" },
  { kind: "extended", name: "base.yaml", text: "x" },
  { kind: "envFile", name: "web.env", text: "A=b" },
];

function made(ociVersion: OciVersion, own = files) {
  const { manifest, blobs } = makeArtifact(own, { ociVersion, createdMs: Date.parse("2026-11-21T22:20:22.5Z") });
  return { manifest: parseManifest(manifest), blobs: new Map(blobs.map((blob) => [sha256(blob), blob])) };
}

test("M28 a project's artifact has the media types, names and texts that Docker Compose gives it", () => {
  const { manifest } = made("1.1");
  assert.equal(manifest.artifactType, artifactTypes.project);
  assert.deepEqual(manifest.config, {
    mediaType: "application/vnd.oci.empty.v1+json",
    digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    size: 2,
    data: "e30=",
  });
  assert.deepEqual(manifest.annotations, { "org.opencontainers.image.created": "2026-11-21T22:20:22Z" });
  assert.deepEqual(
    manifest.layers.map(({ mediaType }) => mediaType),
    [artifactTypes.file, artifactTypes.file, artifactTypes.file, artifactTypes.envFile],
  );
  const old = made("1.0").manifest;
  assert.deepEqual([old.artifactType, old.config.mediaType], [undefined, artifactTypes.emptyConfig]);
});

test("M20 what was published is read again: the documents of one file, beside what they need", () => {
  for (const version of ["1.0", "1.1"] as const) {
    assert.deepEqual(Object.fromEntries(filesOfArtifact("app", made(version))), {
      "compose.yaml": "services: {}\n---\nservices: {web: {}}",
      "base.yaml": "x",
      "web.env": "A=b",
    });
  }
});

test("M20 an image is no project, and files that lead out of their folder are refused", () => {
  const manifest = { ...made("1.1").manifest, artifactType: undefined } as unknown as Manifest;
  assert.throws(() => filesOfArtifact("app", { manifest, blobs: new Map() }), { code: "ARTIFACT_NO_PROJECT" });
  assert.throws(() => filesOfArtifact("app", { blobs: new Map() }), { code: "ARTIFACT_NO_PROJECT" });
  for (const name of ["../evil.env", "/etc/evil", "..", "", "a\\b", "compose.yaml"]) {
    const bad = made("1.1", [...files, { kind: "envFile", name, text: "" }]);
    assert.throws(() => filesOfArtifact("app", bad), { code: "ARTIFACT_NO_PROJECT" }, name);
  }
});

test("M27 images get the digests of their registries, each asked once; those that have one keep it", async () => {
  const digest = sha256("manifest");
  const asked: string[] = [];
  const remoteImages = {
    inspect: async (name: string) => {
      asked.push(name);
      return await Promise.resolve({ name, descriptor: { mediaType: "x", digest, size: 1 }, bytes: Buffer.from("") });
    },
  };
  const pinned = `host.test/pinned:1@${sha256("other")}`;
  const project = projectOf({
    a: { image: "host.test/app" },
    b: { image: "host.test/app" },
    c: { image: pinned },
    d: { build: { context: "." } },
  });
  const images = await resolveImages(project, { remoteImages });
  assert.deepEqual(images, { a: `host.test/app:latest@${digest}`, b: `host.test/app:latest@${digest}`, c: pinned });
  assert.deepEqual(asked, ["host.test/app"]);
  assert.equal(digestsFile({ b: "y", a: "x" }), "services:\n  a:\n    image: x\n  b:\n    image: y\n");
});

test("M28 keys and tokens of known forms are found before they are published", () => {
  const text = `ID: AKIA${"A".repeat(16)}\nurl: https://me:secret@host/\nurl: https://host/\nplain: text\n-----BEGIN RSA PRIVATE KEY-----`;
  assert.deepEqual(
    findSensitiveTexts(text).map(({ kind, line }) => `${line} ${kind}`),
    ["1 AWS Client ID", "2 Password in URL", "5 Private Key"],
  );
});
