import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { constants, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { isVarveError } from "../errors/index.ts";
import { decompress, packLayer, type PackedLayer } from "./index.ts";
import type { KnownMembers } from "./packed-members.ts";

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

const unzstd = (blob: Buffer): Buffer => execFileSync("zstd", ["-d", "-c"], { input: blob, maxBuffer: 1 << 28 });

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
    // Node's zstdDecompressSync may stop after a first frame: `read` below and the zstd program read them all.
    ["zstd", undefined, unzstd],
    ["zstd", 19, unzstd],
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
    // What is known of an earlier blob saves work and changes nothing, also when that blob is damaged or gone.
    const { members } = packed;
    if (members === undefined) continue;
    const [other, damaged] = [join(folder, "other"), join(folder, "damaged")];
    writeFileSync(damaged, Buffer.from(blob).fill(0x55, 1_000, 2_000_000));
    for (const known of [path, damaged, join(folder, "gone")]) {
      const again = await packLayer({ ...same, compression, level, path: other, known: [{ blob: known, members }] });
      assert.deepEqual(again, packed);
      assert.ok(readFileSync(other).equals(blob));
    }
    if (compression === "gzip") assert.equal(blob.toString("hex", 4, 8) + blob.toString("hex", 9, 10), "00000000ff");
  }
});

test("E20 one changed file changes the blocks around it: the others are taken as they are", async () => {
  const many = join(folder, "many");
  mkdirSync(many);
  const names = Array.from({ length: 1200 }, (_, index) => `file${index}`);
  for (const name of names) writeFileSync(join(many, name), randomBytes(2_000).toString("hex"));
  const pack = (known: KnownMembers[] = []) =>
    packLayer({ ...same, upper: many, compression: "gzip", path: join(folder, `many${known.length}`), known });
  const keysOf = ({ members = Buffer.alloc(0) }: PackedLayer): string[] =>
    Array.from({ length: members.length / 58 }, (_, at) => Buffer.from(members).toString("hex", at * 58, at * 58 + 32));
  const before = await pack();
  writeFileSync(join(many, "file700"), "now of another length");
  const after = await pack([{ blob: join(folder, "many0"), members: before.members ?? assert.fail() }]);
  const known = new Set(keysOf(before));
  assert.ok(known.size >= 5, `${known.size} blocks`);
  const made = keysOf(after).filter((key) => !known.has(key)).length;
  assert.ok(made === 1 || made === 2, `${made} blocks`);
  assert.equal(sha256(gunzipSync(readFileSync(join(folder, "many1")))), after.diffId);
});

test("E20 the parts of one step are packed like one folder", async () => {
  const [whole, below, above] = ["whole", "below", "above"].map((name) => join(folder, name)) as [string, string, string];
  const write = (root: string, path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    for (let at = path; at !== "."; at = dirname(at)) utimesSync(join(root, at), 5, 5);
  };
  for (const root of [whole, below]) for (const name of ["a", "b", "sub/c"]) write(root, `d/${name}`, name);
  write(whole, "d/b", "new");
  write(above, "d/b", "new");
  write(whole, "d/sub/more", "more");
  write(above, "d/sub/more", "more");
  const plain = { ...same, compression: "none" } as const;
  assert.deepEqual(await packLayer({ ...plain, upper: [below, above] }), await packLayer({ ...plain, upper: whole }));
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
