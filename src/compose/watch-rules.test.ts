import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { WatchTrigger } from "../compose-file/index.ts";
import { readTar } from "../tar/index.ts";
import { packFiles } from "./pack-files.ts";
import { splitPaths } from "./sync-files.ts";
import { makeWatchRule, planChanges, type WatchRule } from "./watch-rules.ts";

const rule = (trigger: Partial<WatchTrigger> = {}, patterns: readonly string[] = [], service = "web"): WatchRule => {
  const whole: WatchTrigger = { path: "/app/src", action: "sync", target: "/srv", ...trigger };
  return makeWatchRule(service, whole, { path: whole.path, ignoreFile: { folder: "/app", patterns } });
};

test("M76 a rule is about its path and all below it, and about nothing beside it", () => {
  const { matches } = rule();
  assert.deepEqual(["/app/src", "/app/src/a/b"].map(matches), [true, true]);
  assert.deepEqual(["/app", "/app/srcs", "/app/src2/a", "/"].map(matches), [false, false, false, false]);
});

test("M76 ignore and include start from the path, the ignore file of the build from its context", () => {
  const ignoring = rule({ ignore: ["node_modules/", "*.log", "!keep.log", "/app/src/absolute"] }, ["src/private", "src/*.md"]);
  for (const path of ["node_modules/x/y", "a.log", "absolute/x", "private/key", "read.md"])
    assert.equal(ignoring.matches(`/app/src/${path}`), false, path);
  for (const path of ["a.txt", "keep.log", "deep/a.log", "deep/node_modules/x", "deep/read.md"])
    assert.equal(ignoring.matches(`/app/src/${path}`), true, path);
  const including = rule({ include: ["*.go", "sub/**/*.c"] });
  assert.deepEqual(
    ["a.go", "sub/x/y.c", "a.c", "sub/a.go"].map((path) => including.matches(`/app/src/${path}`)),
    [true, true, false, false],
  );
});

test("M76 what editors and Git write beside the files is nobody's change", () => {
  const { matches } = rule();
  const names = [".git/index", ".idea/x.xml", "a.c~", ".a.c.swp", ".#a.c", "#a.c#", "4913", "x___jb_tmp___", ".a.kate-swp"];
  for (const name of names) assert.equal(matches(`/app/src/${name}`), false, name);
  for (const name of [".gitignore", "swp", "a.swf"]) assert.equal(matches(`/app/src/${name}`), true, name);
});

test("M76 a folder is looked into unless all in it is ignored", () => {
  const { mayMatchBelow } = rule({ ignore: ["out", "!out/keep", "node_modules"] });
  assert.deepEqual(["/app", "/app/src/a", "/app/src/out"].map(mayMatchBelow), [true, true, true]);
  assert.deepEqual(["/other", "/app/src/node_modules", "/app/src/.git"].map(mayMatchBelow), [false, false, false]);
});

test("M76 a batch is what it asks for, each service and path once", () => {
  const hook = { command: ["reload"] };
  const rules = [
    rule({ action: "sync+restart" }),
    rule({ action: "sync", target: "/srv" }),
    rule({ action: "sync+exec", exec: hook, target: "/srv/" }, [], "worker"),
    rule({ action: "rebuild", path: "/app/package.json" }),
    rule({ action: "restart", path: "/app/config" }, [], "cache"),
  ];
  assert.deepEqual(planChanges(rules, ["/app/src/b", "/app/src/a/x", "/elsewhere"]), {
    rebuild: [],
    sync: ["web", "worker"].map((service) => ({
      service,
      paths: [
        { path: "/app/src/a/x", target: "/srv/a/x" },
        { path: "/app/src/b", target: "/srv/b" },
      ],
    })),
    restart: ["web"],
    exec: [{ service: "worker", hook }],
  });
  assert.deepEqual(planChanges(rules, ["/app/package.json", "/app/config/x"]), {
    rebuild: ["web"],
    sync: [],
    restart: ["cache"],
    exec: [],
  });
});

test("M76 a single file goes to its target", () => {
  const rules = [rule({ path: "/app/site.conf", target: "/etc/site.conf" })];
  assert.deepEqual(planChanges(rules, ["/app/site.conf"]).sync, [
    { service: "web", paths: [{ path: "/app/site.conf", target: "/etc/site.conf" }] },
  ]);
});

test("M76 what is gone is removed once, with what it held; a folder that became a file goes first, the root never", () => {
  const kinds: Readonly<Record<string, "folder" | "other">> = { "/a": "folder", "/a/new": "other" };
  const at = (path: string) => ({ path, target: `/t${path}` });
  assert.deepEqual(
    splitPaths(["/a", "/a/new", "/a/new/old", "/b", "/b/c", "/bc"].map(at), (path) => kinds[path]),
    { present: [at("/a"), at("/a/new")], gone: ["/t/b", "/t/bc", "/t/a/new"] },
  );
  assert.deepEqual(
    splitPaths([{ path: "/x", target: "/" }], () => undefined),
    { present: [], gone: [] },
  );
});

test("M76 files are packed under their places in the container, as they are", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "varve-pack-")));
  try {
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "sub/run"), "#!/bin/sh\n");
    chmodSync(join(folder, "sub/run"), 0o755);
    writeFileSync(join(folder, "empty"), "");
    chmodSync(join(folder, "sub"), 0o700);
    chmodSync(join(folder, "empty"), 0o640);
    symlinkSync("sub/run", join(folder, "link"));
    const packed: [string, string, string][] = [];
    const names = ["sub", "sub/run", "empty", "link", "gone", "sub/run/below"];
    const archive = packFiles(names.map((name) => ({ path: join(folder, name), target: `/srv/${name}` })));
    for await (const entry of readTar(archive)) {
      const parts: Buffer[] = [];
      for await (const chunk of entry.body) parts.push(Buffer.from(chunk));
      packed.push([`${entry.name.replace(/\/$/, "")} ${entry.mode.toString(8)}`, entry.type, Buffer.concat(parts).toString()]);
    }
    assert.deepEqual(packed, [
      ["srv/sub 700", "directory", ""],
      ["srv/sub/run 755", "file", "#!/bin/sh\n"],
      ["srv/empty 640", "file", ""],
      ["srv/link 777", "symlink", ""],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
