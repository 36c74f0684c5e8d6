/** Copies of many files of which few changed since the last build. Needs the worker, but no runtime and no network. */
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { openVarve } from "../../src/engine/index.ts";

type Compression = "gzip" | "zstd" | "uncompressed";

function prepare(t: TestContext, dockerfile: string) {
  const folder = mkdtempSync(join(tmpdir(), "varve-changes-"));
  // the sync after a build may leave its mark meanwhile
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  const context = join(folder, "context");
  for (let d = 0; d < 12; d++) {
    mkdirSync(join(context, `src/d${d}/sub`), { recursive: true });
    for (let f = 0; f < 50; f++) writeFileSync(join(context, `src/d${d}/f${f}`), `file ${d} ${f}\n`.repeat(1 + (f % 7)));
    writeFileSync(join(context, `src/d${d}/sub/deep`), `${d}`);
  }
  mkdirSync(join(context, "base/app/d3"), { recursive: true });
  writeFileSync(join(context, "base/app/d3/f9"), "the base has this name too");
  writeFileSync(join(context, "Dockerfile"), dockerfile);
  const build = async (store: string, compression: Compression = "uncompressed"): Promise<Buffer> => {
    const dest = join(folder, "image.tar");
    await using varve = openVarve({
      root: join(folder, store),
      configPath: join(folder, "none.toml"),
      path: process.env["PATH"] ?? "",
    });
    await varve.build({ context: { kind: "folder", path: context }, outputs: [{ type: "oci", dest, compression }] });
    return readFileSync(dest);
  };
  /** How many snapshots of a store were made out of an earlier one. */
  const countParts = (store: string): number => {
    const database = new DatabaseSync(join(folder, store, "state.db"));
    const row = database.prepare("SELECT count(*) AS count FROM snapshot_parts").get();
    database.close();
    return Number(row?.["count"]);
  };
  const clear = (store: string): void => rmSync(join(folder, store), { recursive: true, force: true, maxRetries: 10 });
  return { src: (path: string) => join(context, "src", path), build, countParts, clear };
}

/** Each edit, and whether it can be made on top of the last copy: on a base with files, and on an empty one. */
const edits: readonly (readonly [
  name: string,
  edit: (src: (path: string) => string) => void,
  onBase: boolean,
  onNothing: boolean,
])[] = [
  ["content", (src) => writeFileSync(src("d1/f1"), "other"), true, true],
  [
    "other bytes, same size and time",
    (src) => {
      const { atime, mtime, size } = statSync(src("d1/f2"));
      writeFileSync(src("d1/f2"), "x".repeat(size));
      utimesSync(src("d1/f2"), atime, mtime);
    },
    true,
    true,
  ],
  [
    "modes",
    (src) => {
      chmodSync(src("d2/f1"), 0o755);
      chmodSync(src("d2/sub"), 0o700);
    },
    true,
    true,
  ],
  [
    "time, and content elsewhere",
    (src) => {
      utimesSync(src("d2/f4"), 77, 77);
      writeFileSync(src("d2/f5"), "more");
    },
    true,
    true,
  ],
  ["a new file", (src) => writeFileSync(src("d4/new"), "new"), true, true],
  [
    "a new folder",
    (src) => {
      mkdirSync(src("d5/n/m"), { recursive: true });
      writeFileSync(src("d5/n/m/file"), "deep");
      symlinkSync("m/file", src("d5/n/link"));
    },
    true,
    false,
  ],
  ["a file gone", (src) => rmSync(src("d6/f3")), true, false],
  ["a folder gone", (src) => rmSync(src("d6/sub"), { recursive: true }), true, false],
  ["a file gone that the base has too", (src) => rmSync(src("d3/f9")), false, false],
  ["a name moved", (src) => renameSync(src("d7/f1"), src("d7/renamed")), true, false],
  [
    "a folder becomes a file",
    (src) => {
      rmSync(src("d8"), { recursive: true });
      writeFileSync(src("d8"), "now a file");
    },
    false,
    false,
  ],
  [
    "many files",
    (src) => {
      for (let f = 0; f < 50; f++) for (const d of [9, 10, 11]) writeFileSync(src(`d${d}/f${f}`), `all new ${f}`);
    },
    false,
    false,
  ],
];

for (const [kind, dockerfile] of [
  ["a base with files", "FROM scratch AS base\nCOPY base /\nFROM base\nCOPY src /app\n"],
  ["an empty base", "FROM scratch\nCOPY src /app/\n"],
  ["no base (--link)", "FROM scratch AS base\nCOPY base /\nFROM base\nCOPY --link src /app/\n"],
] as const) {
  test(`C19 E20 a copy onto ${kind} is the same bytes, made out of the last one or as a whole`, async (t) => {
    const { src, build, countParts, clear } = prepare(t, dockerfile);
    await build("kept");
    const short = ["content", "a new file", "a new folder", "a file gone", "many files"];
    for (const [name, edit, onBase, onNothing] of edits) {
      if (kind !== "a base with files" && !short.includes(name)) continue;
      edit(src);
      const before = countParts("kept");
      const [kept, fresh] = [await build("kept"), await build("fresh")];
      assert.ok(kept.equals(fresh), name);
      const grown = countParts("kept") - before;
      assert.equal(grown > 0, kind === "a base with files" ? onBase : onNothing, name);
      clear("fresh");
    }
  });
}

test("E20 E21 an archive does not tell what was exported before it", async (t) => {
  const { src, build, clear } = prepare(t, "FROM scratch\nCOPY src /app/\n");
  const archives = new Map<Compression, Buffer>();
  for (const compression of ["gzip", "zstd", "uncompressed"] as const) {
    archives.set(compression, await build("fresh", compression));
    clear("fresh");
  }
  for (const compression of ["zstd", "gzip", "uncompressed", "zstd", "gzip"] as const)
    assert.ok((await build("kept", compression)).equals(archives.get(compression) ?? assert.fail()), compression);
  writeFileSync(src("d1/f1"), "one file of another length");
  for (const compression of ["gzip", "zstd"] as const) {
    assert.ok((await build("kept", compression)).equals(await build("fresh", compression)), `${compression}, after a change`);
    clear("fresh");
  }
});
