import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { openVarve, type ContextFiles, type ContextFilesOptions } from "./index.ts";

const dockerfile = [
  "FROM scratch AS docs",
  "COPY docs /docs",
  "FROM scratch AS build",
  "COPY go.mod ./",
  "RUN --mount=type=bind,source=src/deep,target=/d true",
  "COPY --exclude=*.bin src /src",
  "FROM scratch",
  "COPY --from=build /src /s",
  "COPY modules/keep.js link* missing* /",
].join("\n");

async function list(t: TestContext, options: Partial<ContextFilesOptions> = {}): Promise<ContextFiles> {
  const folder = mkdtempSync(join(tmpdir(), "varve-context-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const files: Record<string, string> = {
    Dockerfile: dockerfile,
    ".dockerignore": "# what is not ours\nmodules\n!modules/keep.js\n**/*.md\n",
    "src/big.bin": "x".repeat(1000),
    "src/a.go": "abc",
    "src/deep/b.go": "ab",
    "modules/x/i.js": "1",
    "modules/keep.js": "12345",
    "docs/r.md": "1",
    "go.mod": "g",
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  symlinkSync("go.mod", join(folder, "link"));
  await using varve = openVarve({ root: join(folder, ".store"), configPath: join(folder, "none.toml"), path: "" });
  return await varve.contextFiles({ context: { kind: "folder", path: folder }, ...options });
}

const reading = ({ files }: ContextFiles): string[] =>
  files.filter(({ state }) => state === "read").map(({ path, steps }) => `${path} ${steps.map(({ line }) => line).join(",")}`);

test("G07 the files that steps of the target read are listed, the largest first, with the lines that read them", async (t) => {
  const listed = await list(t);
  assert.deepEqual(reading(listed), ["link 9", "modules/keep.js 9", "src/a.go 6", "src/deep/b.go 5,6", "go.mod 4,9"]);
  assert.deepEqual(
    listed.files.find(({ path }) => path === "src/deep/b.go")?.steps.map(({ name }) => name),
    ["RUN --mount=type=bind,source=src/deep,target=/d true", "COPY --exclude=*.bin src /src"],
  );
  assert.deepEqual(listed.folders.slice(0, 2), [
    { path: "modules/", files: 1, sizeBytes: 5 },
    { path: "src/", files: 2, sizeBytes: 5 },
  ]);
  assert.deepEqual(listed.totals.read, { files: 5, sizeBytes: 17 });
  assert.deepEqual(reading(await list(t, { target: "docs" })), []);
});

test("G04 G05 each file that the ignore file speaks of has the rule that decided, with its line", async (t) => {
  const { files, ignoreFile, totals } = await list(t, { excluded: true });
  assert.equal(ignoreFile, ".dockerignore");
  const ruled = files.filter(({ rule, path }) => rule !== undefined && !path.startsWith(".store"));
  assert.deepEqual(
    ruled.map(({ path, state, rule }) => [path, state, rule]),
    [
      ["modules/keep.js", "read", { pattern: "!modules/keep.js", line: 3 }],
      ["docs/r.md", "excluded", { pattern: "**/*.md", line: 4 }],
      ["modules/x/i.js", "excluded", { pattern: "modules", line: 2 }],
    ],
  );
  assert.deepEqual(totals.excluded, { files: 2, sizeBytes: 2 });
  assert.equal(files.find(({ path }) => path === "src/big.bin")?.state, "unread");
});
