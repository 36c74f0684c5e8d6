import assert from "node:assert/strict";
import { test } from "node:test";
import { planCopy, topName, type CopyEnd, type CopyPlan } from "./copy-names.ts";

type Source = CopyEnd & { readonly kind: "directory" | "other" };

const file = (path: string): Source => ({ path, kind: "other" });
const folder = (path: string): Source => ({ path, kind: "directory" });
const nothing = (path: string): CopyEnd => ({ path, kind: undefined });

/** As a Docker Engine 28 was seen to do it, or the words it failed with. */
const rules: readonly (readonly [source: Source, destination: CopyEnd, plan: CopyPlan | string])[] = [
  [file("/w/f"), nothing("/new"), { folder: "/", as: "new" }],
  [file("/w/f"), nothing("/a/new"), { folder: "/a", as: "new" }],
  [file("/w/f"), file("/a/old"), { folder: "/a", as: "old" }],
  [file("/w/f"), folder("/tmp"), { folder: "/tmp", as: "f" }],
  [file("/w/f"), folder("/tmp/"), { folder: "/tmp/", as: "f" }],
  [file("/w/f"), nothing("/missing/"), "no such directory"],
  [file("/w/f"), nothing("/missing/."), "no such directory"],
  [file("/w/f"), nothing(""), "no such directory"],
  [file("/w/f"), file("/old/"), "no such directory"],
  [folder("/w/d"), nothing("/new"), { folder: "/", as: "new" }],
  [folder("/w/d"), nothing("/new/"), { folder: "/", as: "new" }],
  [folder("/w/d"), folder("/there"), { folder: "/there", as: "d" }],
  [folder("/w/d/"), folder("/there"), { folder: "/there", as: "d" }],
  [folder("/w/d/."), folder("/there"), { folder: "/there", as: "." }],
  [folder("/w/d/."), nothing("/new"), { folder: "/", as: "new" }],
  [folder("/w/d"), file("/old"), "cannot copy directory"],
  [folder("/"), folder("/there"), { folder: "/there", as: "." }],
];

test("a copy's names follow from what is at both ends, as with docker cp", () => {
  for (const [source, destination, plan] of rules) {
    const title = `${source.kind} ${source.path} to ${destination.kind ?? "nothing"} ${destination.path}`;
    if (typeof plan === "string") assert.throws(() => planCopy(source, destination), { message: plan }, title);
    else assert.deepEqual(planCopy(source, destination), plan, title);
  }
});

test("an archive begins with the last component, or with a dot for a folder's content", () => {
  for (const [path, name] of [
    ["/a/b", "b"],
    ["/a/b/", "b"],
    ["/a/b/.", "."],
    ["/", "."],
    ["/a/..", "."],
  ] as const)
    assert.equal(topName(path), name, path);
});
