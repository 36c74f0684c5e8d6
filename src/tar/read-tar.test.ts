import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chownSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { closeSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { isVarveError } from "../errors/index.ts";
import { lgetxattr, lsetxattr, mknod, utimensNoFollow } from "../sys/index.ts";
import {
  encodeEntry,
  encodePlainFile,
  endOfArchive,
  padding,
  parseWhiteout,
  printWhiteout,
  readTar,
  type TarEntry,
  type TarHeader,
  type TarLimits,
} from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-tar-"));
after(() => rmSync(folder, { recursive: true, force: true }));

type Flat = Awaited<ReturnType<typeof flatten>>[number];

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function flatten(
  bytes: Uint8Array,
  { chunk = bytes.length || 1, limits = {} }: { chunk?: number; limits?: Partial<TarLimits> } = {},
) {
  const entries = [];
  for await (const entry of readTar(chunksOf(bytes, chunk), { limits })) {
    const pieces: Uint8Array[] = [];
    for await (const piece of entry.body) pieces.push(piece);
    const { type, name, mode, uid, gid, mtime, size, device, segments } = entry;
    const xattrs = Object.fromEntries(entry.xattrs);
    const body = Buffer.concat(pieces);
    entries.push({
      type,
      name,
      path: entry.path.toString("latin1"),
      link: entry.linkPath.toString("latin1"),
      mode,
      uid,
      gid,
      mtime,
      size,
      device,
      segments,
      xattrs,
      body,
    });
  }
  return entries;
}

const failsWith =
  (code: string, limit?: string) =>
  (error: unknown): boolean =>
    isVarveError(error) && error.code === code && (limit === undefined || error.details["limit"] === limit);

/** A tree with everything that GNU tar can store; root is needed for owners and devices, as for all of Varve's layers. */
function makeTree(): string {
  const root = mkdtempSync(join(folder, "tree-"));
  const at = (name: string): string => join(root, name);
  mkdirSync(at("dir"));
  writeFileSync(at("dir/small"), "hello\n");
  writeFileSync(at("empty"), "");
  writeFileSync(at("block"), Buffer.alloc(512, 1));
  writeFileSync(at("large"), Buffer.alloc(300_001, 2));
  chmodSync(at("large"), 0o4755);
  linkSync(at("large"), at("larger-link"));
  symlinkSync("dir/small", at("symlink"));
  symlinkSync("x".repeat(200), at("long-symlink"));
  mkdirSync(at(`${"d".repeat(120)}/${"e".repeat(120)}`), { recursive: true });
  writeFileSync(at(`${"d".repeat(120)}/${"e".repeat(120)}/${"f".repeat(120)}`), "deep");
  writeFileSync(Buffer.concat([Buffer.from(at("odd-")), Buffer.from([0xff, 0xc3])]), "bytes");
  writeFileSync(at("ünïcode"), "u");
  mknod(at("fifo"), 0o010644);
  mknod(at("null"), 0o020666, { major: 1, minor: 3 });
  mknod(at("disk"), 0o060660, { major: 259, minor: 1_000_000 });
  chownSync(at("dir/small"), 3_000_000, 2_500_000_000);
  lsetxattr(at("dir/small"), "user.bytes", Buffer.from([0, 10, 61, 255]));
  lsetxattr(at("dir/small"), "security.capability", Buffer.from("0100000200200000000000000000000000000000", "hex"));
  utimensNoFollow(at("dir/small"), { mtime: { sec: -5n, nsec: 250_000_000 } });
  utimensNoFollow(at("empty"), { mtime: { sec: 1_700_000_000n, nsec: 123_456_789 } });
  utimensNoFollow(at("block"), { mtime: { sec: 9_000_000_000n, nsec: 0 } });
  return root;
}

function gnuTar(root: string, ...args: string[]): Buffer {
  return execFileSync("tar", ["-C", root, "--sort=name", "-c", ...args, "."], {
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "ignore"],
  });
}

test("GNU tar as oracle: what it writes in PAX and GNU format reads back as the tree it was made from", async () => {
  const root = makeTree();
  for (const args of [
    ["--format=posix", "--xattrs", "--xattrs-include=*"],
    ["--format=gnu"],
    ["--format=posix", "--pax-option=delete=atime,delete=ctime"],
  ]) {
    const entries = await flatten(gnuTar(root, ...args));
    assert.equal(entries.length, 17, args.join(" "));
    for (const entry of entries) {
      const path = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(entry.path, "latin1")]);
      const stats = lstatSync(path, { bigint: true });
      assert.equal(entry.uid, Number(stats.uid), entry.name);
      assert.equal(entry.gid, Number(stats.gid), entry.name);
      assert.equal(entry.mode, Number(stats.mode & 0o7777n), entry.name);
      const found = entry.mtime.sec * 1_000_000_000n + BigInt(entry.mtime.nsec);
      if (args[0] === "--format=posix") assert.equal(found, stats.mtimeNs, entry.name);
      else assert.equal(entry.mtime.sec, BigInt(Math.floor(Number(stats.mtimeNs) / 1e9)), entry.name);
      if (entry.type === "file") assert.deepEqual(entry.body, readFileSync(path), entry.name);
      if (entry.type === "symlink") assert.equal(entry.link, readlinkSync(path, "latin1"));
      if (entry.type === "link") assert.equal(entry.link, "./large");
    }
    const of = (name: string): Flat | undefined => entries.find((entry) => entry.name === `./${name}`);
    assert.deepEqual(of("disk")?.device, { major: 259, minor: 1_000_000 });
    assert.equal(of("fifo")?.type, "fifo");
    if (args.includes("--xattrs")) {
      assert.deepEqual(of("dir/small")?.xattrs["user.bytes"], Buffer.from([0, 10, 61, 255]));
      assert.equal(of("dir/small")?.xattrs["security.capability"]?.length, 20);
    }
  }
});

test("GNU tar as oracle: sparse files in every format, short maps and long ones", async () => {
  const root = mkdtempSync(join(folder, "sparse-"));
  for (const [name, count] of [
    ["few", 3],
    ["many", 90],
    ["hole", 0],
  ] as const) {
    const fd = openSync(join(root, name), "w");
    for (let i = 0; i < count; i++) writeSync(fd, Buffer.alloc(5000, i + 1), 0, 5000, i * 65536 + 8192);
    if (count < 5) execFileSync("truncate", ["-s", String(10 * 65536 + 7), join(root, name)]);
    closeSync(fd);
  }
  for (const args of [
    ["--format=gnu"],
    ...["0.0", "0.1", "1.0"].map((version) => ["--format=posix", `--sparse-version=${version}`]),
  ]) {
    const archive = gnuTar(root, "-S", ...args);
    assert.ok(archive.length < 1_500_000);
    for (const chunk of [archive.length, 1000]) {
      const entries = await flatten(archive, { chunk });
      for (const entry of entries.filter(({ type }) => type === "file")) {
        assert.ok(entry.segments !== undefined, entry.name);
        assert.deepEqual(entry.body, readFileSync(join(root, entry.name)), `${entry.name} ${args.join(" ")}`);
      }
      assert.equal(entries.length, 4);
    }
  }
});

test("GNU tar as oracle: v7 and ustar", async () => {
  const root = mkdtempSync(join(folder, "old-"));
  mkdirSync(join(root, "a".repeat(60), "b".repeat(60)), { recursive: true });
  writeFileSync(join(root, "a".repeat(60), "b".repeat(60), "c"), "ustar's prefix");
  const ustar = await flatten(gnuTar(root, "--format=ustar"));
  assert.equal(ustar.at(-1)?.name, `./${"a".repeat(60)}/${"b".repeat(60)}/c`);
  rmSync(root, { recursive: true });
  mkdirSync(join(root, "dir"), { recursive: true });
  writeFileSync(join(root, "dir/file"), "v7");
  const v7 = await flatten(gnuTar(root, "--format=v7"));
  assert.deepEqual(
    v7.map(({ type, name }) => `${type} ${name}`),
    ["directory ./", "directory ./dir/", "file ./dir/file"],
  );
});

const plain: TarHeader = {
  type: "file",
  path: "f",
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: { sec: 0n, nsec: 0 },
};

function archiveOf(...entries: readonly (readonly [TarHeader, Uint8Array?])[]): Buffer {
  const parts = entries.flatMap(([header, body = Buffer.alloc(0)]) => [
    encodeEntry({ ...header, ...(body.length > 0 && { size: body.length }) }),
    body,
    padding(body.length),
  ]);
  return Buffer.concat([...parts, endOfArchive]);
}

test("GNU tar as oracle: it unpacks what we write, with owners, nanoseconds, attributes, devices, links", () => {
  const root = mkdtempSync(join(folder, "out-"));
  const long = `${"p".repeat(90)}/${"q".repeat(90)}/${"r".repeat(90)}`;
  const odd = Buffer.concat([Buffer.from("odd-"), Buffer.from([0xff, 0xc3])]);
  const header: TarHeader = {
    ...plain,
    path: "dir/small",
    uid: 3_000_000,
    gid: 2_500_000_000,
    mtime: { sec: -5n, nsec: 250_000_000 },
  };
  const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
  const archive = archiveOf(
    [{ ...plain, type: "directory", path: "dir", mode: 0o1777 }],
    [
      {
        ...header,
        xattrs: [
          ["user.bytes", Buffer.from([0, 10, 61, 255])],
          ["security.capability", capability],
        ],
      },
      Buffer.from("hello"),
    ],
    [{ ...plain, path: long, mode: 0o4755, mtime: { sec: 9_000_000_000n, nsec: 1 } }, Buffer.alloc(512)],
    [{ ...plain, path: `${"s".repeat(110)}/${"t".repeat(99)}` }],
    [{ ...plain, path: odd }],
    [{ ...plain, path: "ünïcode" }],
    [{ ...plain, type: "link", path: "link", linkPath: long }],
    [{ ...plain, type: "symlink", path: "symlink", linkPath: "x".repeat(300) }],
    [{ ...plain, type: "fifo", path: "fifo" }],
    [{ ...plain, type: "block", path: "disk", device: { major: 259, minor: 1_000_000 } }],
    [{ ...plain, type: "character", path: "null", device: { major: 1, minor: 3 } }],
  );
  const told = execFileSync("tar", ["-C", root, "-xp", "--xattrs", "--xattrs-include=*", "--numeric-owner"], {
    input: archive,
    stdio: ["pipe", "pipe", "pipe"],
  });
  assert.equal(told.toString(), "");
  const stat = (name: string | Buffer) =>
    lstatSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name)]), { bigint: true });
  assert.deepEqual([stat("dir/small").uid, stat("dir/small").gid], [3_000_000n, 2_500_000_000n]);
  assert.equal(stat("dir/small").mtimeNs, -4_750_000_000n);
  assert.equal(lgetxattr(join(root, "dir/small"), "user.bytes")?.toString("hex"), "000a3dff");
  assert.deepEqual(lgetxattr(join(root, "dir/small"), "security.capability"), capability);
  assert.equal(stat(long).mtimeNs, 9_000_000_000_000_000_001n);
  assert.equal(stat(long).mode & 0o7777n, 0o4755n);
  assert.equal(stat("link").ino, stat(long).ino);
  assert.equal(readlinkSync(join(root, "symlink")).length, 300);
  assert.ok(stat(odd).isFile() && stat("ünïcode").isFile() && stat(`${"s".repeat(110)}/${"t".repeat(99)}`).isFile());
  assert.ok(stat("fifo").isFIFO() && stat("disk").isBlockDevice() && stat("null").isCharacterDevice());
});

test("T44 every header that can be written reads back the same, in chunks of any size", async () => {
  const name = fc
    .uint8Array({ minLength: 1, maxLength: 300 })
    .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 ? 1 : byte))))
    .filter((b) => b.at(-1) !== 0x2f);
  const time = fc
    .tuple(fc.bigInt(-(2n ** 40n), 2n ** 40n), fc.integer({ min: 0, max: 999_999_999 }))
    .map(([sec, nsec]) => ({ sec, nsec }));
  const id = fc.integer({ min: 0, max: 2 ** 32 - 2 });
  const xattrs = fc.array(fc.tuple(fc.stringMatching(/^[a-z.]{1,20}$/), fc.uint8Array({ minLength: 1, maxLength: 200 })), {
    maxLength: 3,
  });
  const header = fc.record({
    path: name,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: id,
    gid: id,
    mtime: time,
    xattrs,
  });
  await fc.assert(
    fc.asyncProperty(header, fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 1, max: 3000 }), async (made, body, chunk) => {
      const archive = archiveOf([{ ...plain, ...made }, body], [plain]);
      assert.deepEqual(archive, archiveOf([{ ...plain, ...made }, body], [plain]));
      const [first, second, third] = await flatten(archive, { chunk });
      assert.ok(first !== undefined && third === undefined);
      assert.deepEqual(
        [first.path, first.mode, first.uid, first.gid, first.mtime, first.body],
        [made.path.toString("latin1"), made.mode, made.uid, made.gid, made.mtime, Buffer.from(body)],
      );
      assert.deepEqual(first.xattrs, Object.fromEntries(made.xattrs.map(([key, value]) => [key, Buffer.from(value)])));
      assert.equal(second?.name, "f");
    }),
    { numRuns: 200 },
  );
});

test("an entry whose body is not read is passed over, and a late read of it is a mistake", async () => {
  const archive = archiveOf([plain, Buffer.alloc(5000, 1)], [{ ...plain, path: "g" }, Buffer.from("two")]);
  const seen: TarEntry[] = [];
  for await (const entry of readTar(chunksOf(archive, 700))) seen.push(entry);
  assert.deepEqual(
    seen.map(({ name }) => name),
    ["f", "g"],
  );
  await assert.rejects(async () => {
    for await (const _piece of seen[0]?.body ?? []);
  }, TypeError);
});

test("the source is read to its end, so that a digest on the way sees every byte", async () => {
  let passed = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunksOf(Buffer.concat([archiveOf([plain]), Buffer.alloc(10_240), Buffer.from("rest")]), 600)) {
      passed += chunk.length;
      yield chunk;
    }
  }
  for await (const entry of readTar(counted())) assert.equal(entry.name, "f");
  assert.equal(passed, 512 + 1024 + 10_240 + 4);
});

test("an archive cut anywhere is an error, except between entries", async () => {
  const archive = archiveOf(
    [{ ...plain, path: "n".repeat(150), mtime: { sec: 1n, nsec: 5 } }, Buffer.from("body")],
    [{ ...plain, path: "g" }],
  );
  const mayEnd = (length: number): boolean => [0, 2048, 2560].includes(length) || length >= 3072;
  assert.equal(archive.length, 3584);
  for (let length = 0; length < archive.length; length += length % 512 === 0 || length % 512 === 511 ? 1 : 51) {
    const cut = flatten(archive.subarray(0, length));
    if (mayEnd(length)) await cut;
    else await assert.rejects(cut, failsWith("TAR_TRUNCATED"), `at ${length}`);
  }
});

/** Writes the checksum of the header at `at`, after a test changed the block. */
function sign(archive: Buffer, at = 0): Buffer {
  const header = archive.subarray(at, at + 512);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return archive;
}

function changed(archive: Buffer, change: (archive: Buffer) => void): Buffer {
  const copy = Buffer.from(archive);
  change(copy);
  return copy;
}

/** An archive with one file after a PAX header (or, with `g`, a global one) of this text. */
function withPax(text: string, typeFlag = "x"): Buffer {
  const header = encodeEntry({ ...plain, path: "PaxHeaders", size: Buffer.byteLength(text) });
  header.write(typeFlag, 156, "latin1");
  return Buffer.concat([sign(header), Buffer.from(text), padding(Buffer.byteLength(text)), archiveOf([plain, Buffer.from("x")])]);
}

function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = rest.length + String(rest.length + 2).length;
  return `${length}${rest}`;
}

test("CVE class: parser confusion; damaged headers and records are refused", async () => {
  const good = archiveOf([plain, Buffer.from("x")]);
  const signed = (change: (archive: Buffer) => void): Buffer => sign(changed(good, change));
  const bad: Record<string, Buffer> = {
    checksum: changed(good, (archive) => archive.write("g", 0)),
    "digit 9 in the mode": signed((archive) => archive.write("0000699\0", 100)),
    "negative uid": signed((archive) => archive.fill(0xff, 108, 116)),
    "huge size": signed((archive) => archive.fill(0x7f, 125, 136).writeUInt8(0x80, 124)),
    "no name": signed((archive) => archive.fill(0, 0, 100)),
    "record without length": withPax("path=x\n"),
    "record longer than the header": withPax("99 path=x\n"),
    "record of length 0": withPax("0 path=x\n"),
    "record without newline": withPax("9 path=x."),
    "record without key": withPax("7 =abc\n"),
    "NUL in a path": withPax(record("path", "a\0")),
    "negative size": withPax(record("size", "-1")),
    "size in hex": withPax(record("size", "0x1")),
    "mtime in words": withPax(record("mtime", "now")),
    "sparse without size": withPax(record("GNU.sparse.map", "0,1")),
    "sparse beyond its size": withPax(record("GNU.sparse.size", "1") + record("GNU.sparse.map", "5,1")),
    "sparse with overlapping parts": withPax(record("GNU.sparse.size", "9") + record("GNU.sparse.map", "5,1,5,0")),
    "sparse with more than is stored": withPax(record("GNU.sparse.size", "9") + record("GNU.sparse.map", "0,9")),
    "unknown sparse format": withPax(record("GNU.sparse.major", "9")),
    "one block of zeros": Buffer.concat([Buffer.alloc(512), good]),
  };
  for (const [what, archive] of Object.entries(bad)) await assert.rejects(flatten(archive), failsWith("TAR_MALFORMED"), what);
  await assert.rejects(flatten(signed((archive) => archive.write("V", 156))), failsWith("TAR_UNSUPPORTED"));
});

test("a checksum of signed bytes, as old programs made it, holds too", async () => {
  const archive = changed(archiveOf([plain]), (copy) => {
    copy.writeUInt8(0xe9, 0);
    sign(copy);
    const sum = copy
      .subarray(0, 512)
      .reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte > 127 ? byte - 256 : byte), 0);
    copy.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  });
  assert.equal((await flatten(archive))[0]?.path, "\xe9");
});

test("a global header speaks of all files, but not of what is one file's own; an empty record takes back", async () => {
  const archive = withPax(record("uid", "1234") + record("path", "every") + record("size", "0"), "g");
  assert.deepEqual(
    (await flatten(archive)).map(({ name, uid, size }) => [name, uid, size]),
    [["f", 1234, 1]],
  );
  const taken = Buffer.concat([archive.subarray(0, 1024), withPax(record("uid", ""))]);
  assert.deepEqual(
    (await flatten(taken)).map(({ name, uid }) => [name, uid]),
    [["f", 0]],
  );
});

test("CVE class: resource exhaustion; every limit has its name", async () => {
  const archive = archiveOf([{ ...plain, path: "n".repeat(2000) }], [plain, Buffer.alloc(100)]);
  await assert.rejects(flatten(archive, { limits: { maxEntries: 1 } }), failsWith("TAR_LIMIT", "maxEntries"));
  await assert.rejects(flatten(archive, { limits: { maxHeaderBytes: 1000 } }), failsWith("TAR_LIMIT", "maxHeaderBytes"));
  await assert.rejects(flatten(archive, { limits: { maxPathBytes: 1999 } }), failsWith("TAR_LIMIT", "maxPathBytes"));
  await assert.rejects(flatten(archive, { limits: { maxFileBytes: 99 } }), failsWith("TAR_LIMIT", "maxFileBytes"));
  const bomb = encodeEntry({ ...plain, path: "x", size: 2 ** 32 });
  bomb.write("x", 156);
  await assert.rejects(flatten(sign(bomb)), failsWith("TAR_LIMIT", "maxHeaderBytes"));
});

test("CVE class: parser crash; changed bytes give entries or an error with a code, never anything else", async () => {
  const root = mkdtempSync(join(folder, "fuzz-"));
  const fd = openSync(join(root, "holes"), "w");
  for (let i = 0; i < 30; i++) writeSync(fd, "x", i * 65536);
  closeSync(fd);
  writeFileSync(join(root, "n".repeat(120)), "long");
  const archives = [gnuTar(root, "-S", "--format=gnu"), gnuTar(root, "-S", "--format=posix")];
  const change = fc.record({
    which: fc.nat(1),
    at: fc.nat(6000),
    byte: fc.nat(255),
    resign: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ which, at, byte, resign }) => {
      const archive = Buffer.from(archives[which] ?? []);
      archive.writeUInt8(byte, at);
      if (resign) sign(archive, at - (at % 512));
      try {
        for await (const entry of readTar(chunksOf(archive, 4096), {
          limits: { maxFileBytes: 1 << 24 },
        })) {
          for await (const piece of entry.body) assert.ok(piece.length > 0);
        }
      } catch (error) {
        assert.ok(isVarveError(error) && error.code.startsWith("TAR_"), String(error));
      }
    }),
    { numRuns: 1500 },
  );
});

test("whiteout names are read and printed; one that would name its own folder is refused", () => {
  assert.deepEqual(parseWhiteout(".wh.gone"), { kind: "whiteout", name: "gone" });
  assert.deepEqual(parseWhiteout(".wh..hidden"), { kind: "whiteout", name: ".hidden" });
  assert.equal(parseWhiteout(".wh..wh..opq").kind, "opaque");
  assert.equal(parseWhiteout(".wh..wh.plnk").kind, "reserved");
  assert.equal(parseWhiteout("file.wh.").kind, "none");
  assert.equal(printWhiteout("gone"), ".wh.gone");
  for (const name of [".wh.", ".wh..", ".wh..."]) assert.throws(() => parseWhiteout(name), failsWith("TAR_MALFORMED"));
});

test("E20 a plain file's header made quickly is the one made slowly", () => {
  fc.assert(
    fc.property(
      fc.record({
        path: fc.string({
          unit: fc.integer({ min: 1, max: 0x7f }).map((code) => String.fromCharCode(code)),
          minLength: 1,
          maxLength: 110,
        }),
        mode: fc.integer({ min: 0, max: 0o7777 }),
        uid: fc.oneof(fc.nat(100_000), fc.nat(0xffffffff)),
        gid: fc.nat(0xffffffff),
        size: fc.oneof(fc.nat(300_000), fc.maxSafeNat()),
        mtimeSec: fc.oneof(fc.integer(), fc.maxSafeInteger()),
      }),
      ({ mtimeSec, ...file }) => {
        const quick = encodePlainFile({ ...file, mtimeSec });
        if (quick === undefined) return;
        const slow = encodeEntry({ ...file, type: "file", mtime: { sec: BigInt(mtimeSec), nsec: 0 } });
        assert.equal(quick.toString("hex"), slow.toString("hex"));
      },
    ),
  );
});
