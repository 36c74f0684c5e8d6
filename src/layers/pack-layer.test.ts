import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { isVarveError } from "../errors/index.ts";
import { decompress, packLayer } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-pack-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const upper = join(folder, "upper");
mkdirSync(upper);
writeFileSync(join(upper, "noise"), randomBytes(2_500_000));
writeFileSync(join(upper, "text"), "varve ".repeat(2_000_000));
for (const name of ["noise", "text"]) utimesSync(join(upper, name), 1, 1);
const same = { upper, lowers: [], userXattr: false } as const;
const sha256 = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const failsWith =
  (code: string) =>
  (error: unknown): boolean =>
    isVarveError(error) && error.code === code;

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, size = 50_000): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await decompress(inChunks(bytes, size))).content) pieces.push(piece);
  return Buffer.concat(pieces);
}

test("E20 E21 every compression gives the same diff ID, a blob that its digest names, and the same bytes twice", async () => {
  const plain = await packLayer({ ...same, compression: "none" });
  assert.deepEqual(Object.keys(plain), ["diffId", "diffSize"]);
  for (const [compression, level, open] of [
    ["uncompressed", undefined, (blob: Buffer) => blob],
    ["gzip", undefined, gunzipSync],
    ["gzip", 1, gunzipSync],
    ["zstd", undefined, zstdDecompressSync],
    ["zstd", 19, zstdDecompressSync],
  ] as const) {
    const path = join(folder, `blob-${compression}-${level}`);
    const progress: number[] = [];
    const packed = await packLayer({ ...same, compression, level, path, onProgress: ({ current }) => progress.push(current) });
    const blob = readFileSync(path);
    assert.equal(packed.diffId, plain.diffId);
    assert.equal(packed.diffSize, plain.diffSize);
    assert.equal(packed.digest, sha256(blob));
    assert.equal(packed.size, blob.length);
    assert.equal(progress.at(-1), plain.diffSize);
    assert.equal(sha256(Buffer.from(open(blob))), plain.diffId);
    assert.equal(sha256(await read(blob)), plain.diffId);
    assert.deepEqual(await packLayer({ ...same, compression, level, path }), packed);
    if (compression === "gzip") assert.equal(blob.toString("hex", 4, 8) + blob.toString("hex", 9, 10), "00000000ff");
  }
});

test("a blob that could not be finished is gone, and the error says why", async () => {
  const path = join(folder, "unfinished");
  const controller = new AbortController();
  const reason = new Error("enough");
  const onProgress = (): void => controller.abort(reason);
  await assert.rejects(packLayer({ ...same, compression: "gzip", path, signal: controller.signal, onProgress }), reason);
  assert.ok(!existsSync(path));
  await assert.rejects(packLayer({ ...same, upper: join(folder, "absent"), compression: "gzip", path }), failsWith("LAYER_READ"));
  await assert.rejects(packLayer({ ...same, compression: "gzip", path: join(folder, "no/folder") }), failsWith("LAYER_WRITE"));
});

test("compression is told by the first bytes, however they arrive", async () => {
  const content = Buffer.from("hello ".repeat(100_000));
  const kind = async (bytes: Buffer, size = 1000): Promise<string> => (await decompress(inChunks(bytes, size))).compression;
  const members = Buffer.concat([gzipSync(content.subarray(0, 1000)), gzipSync(content.subarray(1000))]);
  const skippable = Buffer.from("502a4d1803000000616263", "hex");
  const checked = zstdCompressSync(content.subarray(1000, 2000), { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  const frames = Buffer.concat([
    skippable,
    zstdCompressSync(content.subarray(0, 1000)),
    checked,
    zstdCompressSync(Buffer.alloc(0)),
    skippable,
    zstdCompressSync(content.subarray(2000)),
    skippable,
  ]);
  for (const [bytes, expected] of [
    [members, "gzip"],
    [frames, "zstd"],
    [content, "uncompressed"],
  ] as const) {
    for (const size of [1, 7, 1 << 20]) {
      assert.equal(await kind(bytes, size), expected);
      assert.ok((await read(bytes, Math.max(size, 100))).equals(content), expected);
    }
  }
  assert.equal((await read(Buffer.alloc(0))).length, 0);
  assert.equal((await read(Buffer.from([0x1f]))).length, 1);
  await assert.rejects(read(Buffer.from("BZh91AY&SY")), failsWith("LAYER_COMPRESSION_INVALID"));
  await assert.rejects(read(Buffer.from("fd377a585a0000", "hex")), failsWith("LAYER_COMPRESSION_INVALID"));
});

test("damaged and cut-off data is an error with a code; a failing source keeps its own", async () => {
  for (const compress of [gzipSync, zstdCompressSync]) {
    const whole = compress(randomBytes(300_000));
    await assert.rejects(read(whole.subarray(0, 200_000)), failsWith("LAYER_COMPRESSION_INVALID"), compress.name);
    await assert.rejects(read(whole.subarray(0, whole.length - 3)), failsWith("LAYER_COMPRESSION_INVALID"), compress.name);
  }
  const frame = zstdCompressSync(randomBytes(1000));
  await assert.rejects(read(Buffer.concat([frame, frame.subarray(0, 3)])), failsWith("LAYER_COMPRESSION_INVALID"));
  await assert.rejects(read(Buffer.concat([frame, Buffer.from("something else")])), failsWith("LAYER_COMPRESSION_INVALID"));
  const damaged = gzipSync(Buffer.from("hello ".repeat(100_000)));
  damaged.fill(0x55, 100, 120);
  await assert.rejects(read(damaged), failsWith("LAYER_COMPRESSION_INVALID"));
  const failure = new Error("the network is gone");
  let ended = false;
  async function* failing(): AsyncGenerator<Uint8Array> {
    try {
      yield gzipSync(randomBytes(1000)).subarray(0, 500);
      throw failure;
    } finally {
      ended = true;
    }
  }
  const { content } = await decompress(failing());
  await assert.rejects(async () => {
    for await (const _piece of content);
  }, failure);
  assert.ok(ended);
});

test("who stops reading ends the source", async () => {
  let ended = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield gzipSync(randomBytes(100_000));
    } finally {
      ended = true;
    }
  }
  for await (const piece of (await decompress(source())).content) if (piece.length > 0) break;
  await new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
  assert.ok(ended);
});
