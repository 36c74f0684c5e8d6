import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeEntry, endOfArchive, padding, type TarHeader } from "../tar/index.ts";
import { sha256, type ImageConfig } from "../oci/index.ts";
import { compareConfigs } from "./compare-configs.ts";
import { compareLayers } from "./compare-layers.ts";

const time = { sec: 1000n, nsec: 0 };
type Entry = Pick<TarHeader, "path"> & Partial<TarHeader> & { readonly body?: string };

async function* archive(...entries: readonly Entry[]): AsyncGenerator<Uint8Array> {
  for (const { body = "", ...entry } of entries) {
    yield encodeEntry({ type: "file", mode: 0o644, uid: 0, gid: 0, mtime: time, size: body.length, ...entry });
    yield Buffer.from(body);
    yield new Uint8Array(padding(body.length));
  }
  yield endOfArchive;
}

test("layers are compared entry by entry: headers, contents, what one lacks, and the order", async () => {
  const fields = async (left: readonly Entry[], right: readonly Entry[]) =>
    (await compareLayers(archive(...left), archive(...right))).map(({ path, field, image, rebuilt }) => [
      path,
      field,
      image,
      rebuilt,
    ]);
  const a: Entry = { path: "a", body: "one" };
  const content = (text: string) => sha256(Buffer.from(text));
  assert.deepEqual(await fields([a], [{ ...a, body: "two", mode: 0o600 }]), [
    ["a", "mode", "0644", "0600"],
    ["a", "content", content("one"), content("two")],
  ]);
  assert.deepEqual(await fields([a], [{ ...a, mtime: { sec: 1000n, nsec: 5 } }]), [
    ["a", "mtime", "1970-01-01T00:16:40Z", "1970-01-01T00:16:40.000000005Z"],
  ]);
  assert.deepEqual(await fields([a, { path: "b" }], [a, { path: "c", uid: 3 }]), [
    ["b", "entry", "file", undefined],
    ["c", "entry", undefined, "file"],
  ]);
  const xattrs = [["user.x", Buffer.from("v")]] as const;
  assert.deepEqual(await fields([a], [{ ...a, xattrs }]), [["a", "xattr user.x", undefined, "dg=="]]);
  assert.deepEqual(await fields([a, { path: "b" }], [{ path: "b" }, a]), [["a", "order", "a", "b"]]);
});

test("configs are compared member by member, without the digests of layers", () => {
  const config: ImageConfig = {
    architecture: "amd64",
    os: "linux",
    config: { Env: ["A=1", "B=2"], Labels: { k: "v" } },
    rootfs: { type: "layers", diff_ids: [sha256("x")] },
  };
  const other: ImageConfig = {
    ...config,
    author: "me",
    config: { Env: ["A=1", "B=3"], Labels: {} },
    rootfs: { type: "layers", diff_ids: [sha256("y")] },
  };
  assert.deepEqual(compareConfigs(config, config), []);
  assert.deepEqual(compareConfigs(config, other), [
    { field: "config.Env[1]", image: "B=2", rebuilt: "B=3" },
    { field: "config.Labels.k", image: "v" },
    { field: "author", rebuilt: "me" },
  ]);
});
