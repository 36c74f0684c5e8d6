import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { lsetxattr } from "../sys/index.ts";
import { contentDigest, type ListedFile } from "./content-digest.ts";
import { openDirectoryTree, type DirectoryTreeOptions } from "./directory-tree.ts";
import { plant, selectorFor, type Planted } from "./fixture.test.ts";
import { selectSources, type ContentSelector } from "./selection.ts";

function digestOf(root: string, selector: ContentSelector, options: Partial<DirectoryTreeOptions> = {}): string {
  const tree = openDirectoryTree(root, { resetOwner: false, ...options });
  try {
    return contentDigest(tree, selector);
  } finally {
    tree.close();
  }
}

function selected(root: string, selector: ContentSelector, options: Partial<DirectoryTreeOptions> = {}): string[] {
  const tree = openDirectoryTree(root, { resetOwner: false, ...options });
  try {
    return selectSources(tree, selector).flatMap((source) =>
      Array.from(source.entries(), ({ relative, onTheWay }) => `${source.path}|${relative}${onTheWay ? " (way)" : ""}`),
    );
  } finally {
    tree.close();
  }
}

const sample: Record<string, Planted> = {
  "d/a": "one",
  "d/b": { text: "two", mode: 0o755 },
  "d/sub/c": "three",
  "d/link": { link: "a" },
};

test("C19 equal trees have equal digests, whatever their times, inodes and places", (t) => {
  const [one, two] = [plant(t, sample), plant(t, { ...sample, "d/a": { text: "one", time: 5 } })];
  assert.equal(digestOf(one, selectorFor("/d")), digestOf(two, selectorFor("/d")));
  assert.match(digestOf(one, selectorFor("/d")), /^sha256:[0-9a-f]{64}$/);
  utimesSync(join(one, "d/sub"), 1, 1);
  assert.equal(digestOf(one, selectorFor("/d")), digestOf(two, selectorFor("/d")));
});

test("L57 every change that a copy would show changes the digest", (t) => {
  const changes: Record<string, (root: string) => void> = {
    data: (root) => writeFileSync(join(root, "d/a"), "One"),
    length: (root) => truncateSync(join(root, "d/a"), 2),
    mode: (root) => chmodSync(join(root, "d/a"), 0o600),
    "folder mode": (root) => chmodSync(join(root, "d/sub"), 0o700),
    uid: (root) => lchownSync(join(root, "d/a"), 1, 0),
    gid: (root) => lchownSync(join(root, "d/link"), 0, 1),
    name: (root) => renameSync(join(root, "d/a"), join(root, "d/A")),
    "link target": (root) => {
      rmSync(join(root, "d/link"));
      symlinkSync("b", join(root, "d/link"));
    },
    "link for file": (root) => {
      rmSync(join(root, "d/a"));
      symlinkSync("one", join(root, "d/a"));
    },
    "empty folder": (root) => mkdirSync(join(root, "d/new")),
    "file gone": (root) => rmSync(join(root, "d/sub/c")),
    fifo: (root) => void spawnSync("mkfifo", [join(root, "d/fifo")]),
    attribute: (root) => lsetxattr(join(root, "d/a"), "user.note", Buffer.from("x")),
    capability: (root) =>
      lsetxattr(join(root, "d/b"), "security.capability", Buffer.from("0100000200040000000000000000000000000000", "hex")),
    "second name": (root) => void spawnSync("sh", ["-c", "rm d/sub/c; ln d/a d/sub/c"], { cwd: root }),
  };
  const before = digestOf(plant(t, sample), selectorFor("/d"));
  const seen = new Map([[before, "nothing"]]);
  for (const [name, change] of Object.entries(changes)) {
    const root = plant(t, sample);
    change(root);
    const digest = digestOf(root, selectorFor("/d"));
    assert.ok(!seen.has(digest), `${name} looks like ${seen.get(digest)}`);
    seen.set(digest, name);
  }
});

test("L57 the metadata of a folder counts unless only its contents are taken", (t) => {
  const root = plant(t, sample);
  const [whole, contents] = [selectorFor("/d", { dirContentsOnly: false }), selectorFor("/d")];
  const before = [digestOf(root, whole), digestOf(root, contents)];
  chmodSync(join(root, "d"), 0o700);
  assert.notEqual(digestOf(root, whole), before[0]);
  assert.equal(digestOf(root, contents), before[1]);
});

test("L57 the name of a literal source does not count, the names that a pattern finds do", (t) => {
  const root = plant(t, { "x/a": "1", "y/a": "1", "p.txt": "1", "q.txt": "2" });
  assert.equal(digestOf(root, selectorFor("/x", { wildcard: false })), digestOf(root, selectorFor("/y", { wildcard: false })));
  const before = digestOf(root, selectorFor("/*.txt"));
  renameSync(join(root, "q.txt"), join(root, "r.txt"));
  assert.notEqual(digestOf(root, selectorFor("/*.txt")), before);
});

test("L57 what is not selected does not count", (t) => {
  const root = plant(t, sample);
  const selector = selectorFor("/d", { excludePatterns: ["sub"] });
  const before = digestOf(root, selector);
  writeFileSync(join(root, "d/sub/c"), "else");
  writeFileSync(join(root, "outside"), "else");
  assert.equal(digestOf(root, selector), before);
});

test("C05 wildcards match per component, and a folder that matches is not searched", (t) => {
  const root = plant(t, { "a/1.txt": "", "a/b/2.txt": "", "c.txt": "", "e.txt/in/f.txt": "" });
  assert.deepEqual(selected(root, selectorFor("/*.txt")), ["/c.txt|", "/e.txt|", "/e.txt|in", "/e.txt|in/f.txt"]);
  assert.deepEqual(selected(root, selectorFor("*/*.txt")), ["/a/1.txt|"]);
  assert.deepEqual(selected(root, selectorFor("/**/*.txt")), ["/a/1.txt|"]);
  assert.deepEqual(selected(root, selectorFor("a/[!x]/*")), []);
  assert.deepEqual(selected(root, selectorFor("a/?/*")), ["/a/b/2.txt|"]);
});

test("C06 a pattern may match nothing where that is allowed, a path may not be missing", (t) => {
  const root = plant(t, { "a/b": "" });
  assert.deepEqual(selected(root, selectorFor("/none*")), []);
  assert.throws(() => selected(root, selectorFor("/none*", { allowEmptyWildcard: false })), { code: "TREE_NOT_FOUND" });
  assert.throws(() => selected(root, selectorFor("/none/*")), { code: "TREE_NOT_FOUND", message: '"/none": not found' });
  assert.throws(() => selected(root, selectorFor("a/x")), {
    code: "TREE_NOT_FOUND",
    message: '"/a/x": not found',
    details: { path: "/a/x", nearest: "/a", names: ["b"] },
  });
});

test("C06 a path that the ignore file hides is said to be hidden, with the pattern", (t) => {
  const root = plant(t, { "secrets/key": "" });
  assert.throws(() => selected(root, selectorFor("/secrets/key"), { exclude: ["secrets"] }), {
    message: '"/secrets/key": not found',
    hint: 'the pattern "secrets" of the ignore file excludes it',
    details: { path: "/secrets/key", nearest: "/", names: [], excludedBy: "secrets" },
  });
});

test("C01 sources clamp to the root, and a slash at the end means nothing", (t) => {
  const root = plant(t, { "a/b": "" });
  for (const path of ["a/b", "/a/b", "../../a/b", "/x/../a/b/"])
    assert.deepEqual(selected(root, selectorFor(path)), ["/a/b|"], path);
});

test("C04 a link is followed as a source where asked for, and never inside a tree", (t) => {
  const root = plant(t, { "real/f": "x", top: { link: "real" }, "dir/in": { link: "../real" }, none: { link: "nowhere" } });
  assert.deepEqual(selected(root, selectorFor("/top")), ["/top|", "/top|f"]);
  assert.deepEqual(selected(root, selectorFor("/top", { followLinks: false })), ["/top|"]);
  assert.deepEqual(selected(root, selectorFor("/top/f", { followLinks: false })), ["/top/f|"]);
  assert.deepEqual(selected(root, selectorFor("/dir")), ["/dir|", "/dir|in"]);
  assert.throws(() => selected(root, selectorFor("/none")), { code: "TREE_NOT_FOUND" });
  assert.deepEqual(selected(root, selectorFor("/none", { followLinks: false })), ["/none|"]);
  assert.equal(
    digestOf(root, selectorFor("/top", { wildcard: false })),
    digestOf(root, selectorFor("/real", { wildcard: false })),
  );
});

test("C12 exclusions hold inside a folder, not for what is named itself", (t) => {
  const root = plant(t, { "d/a.txt": "", "d/b.md": "", "d/e/c.txt": "" });
  assert.deepEqual(selected(root, selectorFor("/d", { excludePatterns: ["**/*.txt", "!e/c.txt"] })), [
    "/d|",
    "/d|b.md",
    "/d|e",
    "/d|e/c.txt",
  ]);
  assert.deepEqual(selected(root, selectorFor("/d/*", { excludePatterns: ["*.txt"] })), ["/d/a.txt|", "/d/b.md|", "/d/e|"]);
});

test("C11 folders on the way to what is included come only with it", (t) => {
  const root = plant(t, { "a/b/c/f": "", "a/x/f": "", "a/b/g": "" });
  const selector = selectorFor("/", { includePatterns: ["a/*/c"] });
  assert.deepEqual(selected(root, selector), ["/|", "/|a (way)", "/|a/b (way)", "/|a/b/c", "/|a/b/c/f"]);
});

test("C11 required paths must be among the selected", (t) => {
  const root = plant(t, { "a/b": "" });
  assert.equal(selected(root, selectorFor("/", { includePatterns: ["a/b"], requiredPaths: ["/a/b"] })).length, 3);
  assert.throws(() => selected(root, selectorFor("/", { includePatterns: ["a/c"], requiredPaths: ["/a/c"] })), {
    code: "TREE_NOT_FOUND",
    message: '"/a/c": not found',
  });
});

test("C19 the listed files are those that the digest counts, each with what tells its content", (t: TestContext) => {
  const root = plant(t, sample);
  const tree = openDirectoryTree(root, { resetOwner: true });
  t.after(() => tree.close());
  const list = (): ListedFile[] => {
    const files: ListedFile[] = [];
    contentDigest(tree, selectorFor("/", { includePatterns: ["d"] }), { onFile: (file) => files.push(file) });
    return files;
  };
  const before = list();
  assert.deepEqual(
    before.map(({ path }) => path),
    ["/d", "/d/a", "/d/b", "/d/link", "/d/sub", "/d/sub/c"],
  );
  writeFileSync(join(root, "d/b"), "changed");
  const after = list();
  assert.deepEqual(
    after.filter((file, i) => file.content !== before[i]?.content).map(({ path }) => path),
    ["/d/b"],
  );
});

test("C19 a folder is told with its entries, by the digest that changes with them", (t: TestContext) => {
  const root = plant(t, sample);
  const tree = openDirectoryTree(root, { resetOwner: true });
  t.after(() => tree.close());
  const told = (): Map<string, string> => {
    const folders = new Map<string, string>();
    contentDigest(tree, selectorFor("/d"), {
      onFolder(path, digest, entries) {
        assert.equal((entries ?? "").split("\0").length % 10, 1, "ten texts for each entry");
        folders.set(path, digest);
      },
    });
    return folders;
  };
  const before = told();
  assert.deepEqual([...before.keys()], ["/d", "/d/sub"]);
  writeFileSync(join(root, "d/sub/c"), "changed");
  const after = told();
  assert.equal(after.get("/d"), before.get("/d"));
  assert.notEqual(after.get("/d/sub"), before.get("/d/sub"));
});

const fileTree = fc.dictionary(fc.constantFrom("a", "b", "c/d", "c/e", "f/g/h"), fc.constantFrom("", "x", "y"), { maxKeys: 4 });

test("C19 digests are equal exactly when the trees are", (t) => {
  fc.assert(
    fc.property(fileTree, fileTree, (one, two) => {
      const [left, right] = [digestOf(plant(t, one), selectorFor("/")), digestOf(plant(t, two), selectorFor("/"))];
      const sorted = (tree: object): string => JSON.stringify(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1)));
      assert.equal(left === right, sorted(one) === sorted(two));
    }),
    { numRuns: 60 },
  );
});
