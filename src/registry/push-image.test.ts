import assert from "node:assert/strict";
import { test } from "node:test";
import { VarveError } from "../errors/index.ts";
import { mediaTypes, parseReference, sha256, type Descriptor, type Digest } from "../oci/index.ts";
import { createImagePusher, pushImage, type PushBlob, type PushStatus, type PushTarget, type PushTree } from "./push-image.ts";

const ref = parseReference("example.com/app:v1");

function blobOf(text: string, mountFrom?: readonly string[]): PushBlob {
  const bytes = Buffer.from(text);
  const open = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  return { digest: sha256(bytes), size: bytes.length, open, ...(mountFrom === undefined ? {} : { mountFrom }) };
}

/** Takes note of what it is given, and how much of it at once. */
function recorder(fail?: Digest): PushTarget & { lines: string[]; most: () => number } {
  const lines: string[] = [];
  let [running, most] = [0, 0];
  return {
    lines,
    most: () => most,
    async pushBlob(_ref, { digest }, _open, options = {}) {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      options.signal?.throwIfAborted();
      if (digest === fail) throw new VarveError("REGISTRY_UNREACHABLE", "gone");
      lines.push(`blob ${digest}`);
      return { how: "uploaded" };
    },
    async pushManifest(target, mediaType, bytes): Promise<Descriptor> {
      lines.push(`${target.tag ?? "by digest"} ${mediaType}`);
      return { mediaType, digest: sha256(bytes), size: bytes.length };
    },
  };
}

const image = (text: string, blobs: readonly PushBlob[]): PushTree => ({
  mediaType: mediaTypes.ociManifest,
  bytes: Buffer.from(text),
  blobs,
});

test("E35 an index is sent last, its manifests by digest, and each blob once, several at a time", async () => {
  const shared = blobOf("shared");
  const blobs = Array.from({ length: 20 }, (_, index) => blobOf(`layer ${index}`));
  const target = recorder();
  const statuses: PushStatus[] = [];
  const descriptor = await pushImage(
    target,
    ref,
    {
      mediaType: mediaTypes.ociIndex,
      bytes: Buffer.from("index"),
      manifests: [image("a", [shared, ...blobs]), image("b", [shared])],
    },
    { lanes: 3, onStatus: (status) => statuses.push(status) },
  );
  assert.equal(descriptor.digest, sha256("index"));
  assert.equal(target.most(), 3);
  assert.equal(target.lines.filter((line) => line === `blob ${shared.digest}`).length, 1);
  assert.deepEqual(
    target.lines.filter((line) => !line.startsWith("blob")),
    [`by digest ${mediaTypes.ociManifest}`, `by digest ${mediaTypes.ociManifest}`, `v1 ${mediaTypes.ociIndex}`],
  );
  assert.equal(statuses.filter(({ how }) => how === "uploaded").length, 21);
});

test("a blob that fails ends the push before any manifest is sent", async () => {
  const blobs = Array.from({ length: 30 }, (_, index) => blobOf(`layer ${index}`));
  const target = recorder(blobs[1]?.digest);
  await assert.rejects(pushImage(target, ref, image("a", blobs), { lanes: 2 }), { code: "REGISTRY_UNREACHABLE" });
  assert.ok(target.lines.length < 5, "the others were not begun");
});

test("a blob that was ready early is not sent again with its manifest", async () => {
  const target = recorder();
  const pusher = createImagePusher(target, ref);
  const early = blobOf("early");
  await pusher.blob(early);
  await pusher.tree(image("a", [early]));
  assert.deepEqual(target.lines, [`blob ${early.digest}`, `v1 ${mediaTypes.ociManifest}`]);
});
