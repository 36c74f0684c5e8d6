import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  assignNodes,
  makeBuilderName,
  openBuilderStore,
  readBuilderName,
  readDriverOptions,
  readNodeFlags,
  type NodeRecord,
} from "./index.ts";

const node = (name: string, ...platforms: string[]): NodeRecord => ({
  name,
  endpoint: "local",
  platforms,
  flags: [],
  driverOptions: {},
});

test("B41 names of builders are as in buildx", () => {
  assert.equal(readBuilderName("My.Builder_1-x"), "my.builder_1-x");
  for (const bad of ["", "1a", "a b", "a/b", "../x", ".current", "ä"])
    assert.throws(() => readBuilderName(bad), { code: "USAGE" }, bad);
  const taken = new Set<string>();
  for (let count = 0; count < 50; count++) taken.add(readBuilderName(makeBuilderName(taken)));
  assert.equal(taken.size, 50);
});

test("W02 driver options take effect, are told to have none, or are refused by name", () => {
  assert.deepEqual(readDriverOptions({ "default-load": "true", network: "host", image: "x", "env.HTTP_PROXY": "http://proxy" }), {
    loads: true,
    proxyEnv: { HTTP_PROXY: "http://proxy" },
  });
  for (const name of ["memory", "cpuset-cpus", "env.OTHER"])
    assert.throws(() => readDriverOptions({ [name]: "1" }), { code: "NOT_SUPPORTED_YET", message: new RegExp(name) });
  assert.throws(() => readDriverOptions({ bla: "1" }), {
    code: "USAGE",
    message: "invalid driver option bla for docker-container driver",
  });
  assert.throws(() => readDriverOptions({ "default-load": "maybe" }), { code: "USAGE" });
});

test("B41 flags of BuildKit's daemon are split as a shell does", () => {
  assert.deepEqual(readNodeFlags("--debug --allow-insecure-entitlement 'security.insecure'"), [
    "--debug",
    "--allow-insecure-entitlement=security.insecure",
  ]);
  assert.throws(() => readNodeFlags("--oci-worker=false"), { code: "NOT_SUPPORTED_YET", message: /--oci-worker/ });
});

test("W10 W11 W12 a platform goes to the node that was given it, to one that can stand in, or to the first", () => {
  const nodes = [node("a", "linux/amd64"), node("b", "linux/arm64"), node("c", "linux/riscv64")];
  const linux = (architecture: string, variant?: string) => ({
    os: "linux",
    architecture,
    ...(variant === undefined ? {} : { variant }),
  });
  const share = (...platforms: ReturnType<typeof linux>[]) =>
    assignNodes(nodes, platforms).map((each) => [each.node.name, each.platforms.map(({ architecture }) => architecture)]);
  assert.deepEqual(share(), [["a", []]]);
  assert.deepEqual(share(linux("arm64"), linux("riscv64"), linux("s390x"), linux("amd64", "v3")), [
    ["b", ["arm64"]],
    ["c", ["riscv64"]],
    ["a", ["s390x", "amd64"]],
  ]);
});

test("W05 builders are kept with their nodes, and one of them is the current one", (t) => {
  const root = mkdtempSync(join(tmpdir(), "varve-builders-"));
  t.after(() => rmSync(root, { recursive: true }));
  const store = openBuilderStore(root);
  assert.deepEqual([store.list(), store.current()], [[], "default"]);
  assert.throws(() => store.get("../x"), { code: "BUILDER_NOT_FOUND" });
  store.write({ name: "one", driver: "docker-container", nodes: [{ ...node("one0"), config: "[registry]\n", stopped: true }] });
  store.write({ name: "two", driver: "docker-container", nodes: [node("two0")] });
  store.use("one");
  const [one] = openBuilderStore(root).list();
  assert.equal(store.current(), "one");
  assert.ok(one !== undefined && one.nodes[0]?.stopped === true);
  store.touch(one);
  assert.equal(store.get("one").nodes[0]?.stopped, undefined);
  assert.deepEqual(store.remove("one", { keepState: true }), []);
  assert.equal(store.current(), "default", "a builder that is gone is not the current one");
  const [gone = ""] = store.remove("two", { keepState: false });
  assert.deepEqual(readdirSync(gone), ["builder.json"]);
  assert.deepEqual(store.list(), []);
});
