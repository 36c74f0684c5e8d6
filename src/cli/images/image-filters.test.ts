import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../oci/index.ts";
import { matchesReference, readListFilters } from "./image-filters.ts";

test("the reference filter of images matches names with and without tag; stars stop at slashes", () => {
  const cases: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
    ["busybox", "busybox:latest", true],
    ["busybox:latest", "busybox:latest", true],
    ["busy*", "busybox:latest", true],
    ["busy*", "example.org/busybox:latest", false],
    ["*/*/busybox:l*", "localhost:5000/library/busybox:latest", true],
    ["*", "a/b:1", false],
    ["?usybox", "busybox:1", true],
    ["b[a-z]sybox", "busybox:1", true],
    ["a.b", "axb:1", false],
  ];
  for (const [pattern, name, matches] of cases) assert.equal(matchesReference(pattern, name), matches, `${pattern} ${name}`);
  assert.throws(() => matchesReference("[", "x:1"), { code: "FILTER_INVALID" });
});

test("filters of images are those of docker images, and no others", () => {
  const image = { id: sha256("x"), names: ["a:1"], digests: [], createdMs: 5000, sizeBytes: 0, labels: { k: "v" } } as const;
  const accepts = (...texts: string[]) => readListFilters(texts, 10_000).accepts(image);
  assert.ok(accepts("dangling=false", "label=k", "label=k=v", "until=4s"));
  for (const text of ["dangling=true", "label=x", "label=k=w", "until=6s"]) assert.ok(!accepts(text), text);
  for (const text of ["nope=1", "dangling=x", "label!=k", "label"])
    assert.throws(() => accepts(text), { code: "FILTER_INVALID" }, text);
  assert.deepEqual(readListFilters(["before=a", "since=b", "reference=c*"], 0).references, ["c*"]);
});
