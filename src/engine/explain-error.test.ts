import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isVarveError, VarveError, type ErrorCode } from "../errors/index.ts";
import { readBuildInput } from "./build-input.ts";
import { explainError } from "./explain-error.ts";

/** Explains a failure of a line of a Dockerfile in a context of these files. */
function explain(
  t: TestContext,
  dockerfile: string,
  {
    line,
    code = "TREE_NOT_FOUND",
    details = {},
    files = {},
  }: { line: number; code?: ErrorCode; details?: Record<string, unknown>; files?: Record<string, string> },
): { marked: string | undefined; hint: string | undefined } {
  const folder = mkdtempSync(join(tmpdir(), "varve-explain-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries({ Dockerfile: dockerfile, ...files })) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const where = { file: "Dockerfile", startLine: line, startColumn: 1, endLine: line, endColumn: 1, source: dockerfile };
  const explained = explainError(new VarveError(code, "failed", { where, details }), readBuildInput(folder, {}));
  assert.ok(isVarveError(explained) && explained.code === code && explained.where);
  const { startLine, endLine, startColumn, endColumn } = explained.where;
  const text = dockerfile.split("\n")[startLine - 1] ?? "";
  return { marked: startLine === endLine ? text.slice(startColumn - 1, endColumn - 1) : undefined, hint: explained.hint };
}

test("U08 C06 a missing source is marked in its line, with the name that was probably meant", (t) => {
  const missing = { path: "/src/mian.go", nearest: "/src", names: ["main.go", "other.go"] };
  for (const [dockerfile, line] of [
    ["FROM a\nCOPY go.mod src/mian.go /x", 2],
    ["FROM a\nCOPY --chown=1:1 \\\n  # why\n  src/../src/mian.go \\\n  /x", 2],
    ['FROM a\nADD ["src/mian.go", "/x"]', 2],
    ["FROM a\nRUN --mount=type=bind,source=src/mian.go,target=/x true", 2],
  ] as const) {
    const { marked, hint } = explain(t, dockerfile, { line, details: missing });
    assert.match(marked ?? "", /src\/mian\.go/);
    assert.equal(hint, "did you mean src/main.go?");
  }
});

test("U08 C06 a missing source that lies elsewhere in the context is found there", (t) => {
  const details = { path: "/main.go", nearest: "/", names: ["Dockerfile", "cmd"] };
  const files = { "cmd/tool/main.go": "" };
  assert.match(
    explain(t, "FROM a\nCOPY main.go /", { line: 2, details, files }).hint ?? "",
    /^did you mean cmd\/tool\/main\.go\?/,
  );
  assert.match(
    explain(t, "FROM a\nCOPY --from=b main.go /", { line: 2, details, files }).hint ?? "",
    /^the nearest path that exists is "\/" with Dockerfile, cmd/,
  );
});

test("U08 G04 a source that the ignore file hides is told with the line of the rule", (t) => {
  const details = { path: "/keys/id", nearest: "/", names: [], excludedBy: "keys" };
  const files = { ".dockerignore": "# private\n\n/keys/\n", "keys/id": "" };
  const { marked, hint } = explain(t, "FROM a\nCOPY keys/id /", { line: 2, details, files });
  assert.equal(marked, "keys/id");
  assert.match(hint ?? "", /^the pattern "keys" \(\.dockerignore:3\) excludes it/);
});

test("U08 S03 an image that nobody has may be a stage whose name has a slip in it", (t) => {
  const text = "FROM a AS build\nFROM a AS biuld2\nFROM biuld\nCOPY --from=bulid /a /a\nCOPY --from=example.org/bulid /a /a";
  const at = (line: number) => explain(t, text, { line, code: "REGISTRY_NOT_FOUND" });
  assert.deepEqual(at(4).marked, "--from=bulid");
  assert.match(at(4).hint ?? "", /did you mean the stage build\?/);
  assert.equal(at(3).marked, "biuld");
  assert.match(at(3).hint ?? "", /did you mean the stage build/);
  assert.equal(at(5).hint, undefined);
});

test("P01 G04 a Dockerfile or an ignore file beyond the limit is refused before it is read", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "varve-large-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, ways] of [
    [".dockerignore", [false]],
    ["Dockerfile", [false, true]],
  ] as const) {
    for (const other of ["Dockerfile", ".dockerignore"]) writeFileSync(join(folder, other), "");
    truncateSync(join(folder, name), 2 ** 34);
    for (const contained of ways)
      assert.throws(() => readBuildInput(folder, { contained }), {
        code: "DOCKERFILE_TOO_LARGE",
        details: { limit: "maxInputBytes", value: 2 ** 24 },
      });
  }
});

test("G02 Y09 the ignore file of a context that came from elsewhere hides nothing", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "varve-ignored-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch");
  writeFileSync(join(folder, ".dockerignore"), "*");
  assert.deepEqual(readBuildInput(folder, {}).ignorePatterns, ["*"]);
  assert.deepEqual(readBuildInput(folder, { contained: true }).ignorePatterns, []);
});
