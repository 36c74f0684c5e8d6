import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { parseAgents, parseEntitlements, parseSecrets } from "./credentials.ts";
import { parseContexts } from "./named-contexts.ts";

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "varve-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("B28 a secret comes from a variable or a file, by type, by place, or by what there is", async (t) => {
  const cwd = makeFolder(t);
  for (const name of ["file", "BOTH", "b,c"]) writeFileSync(join(cwd, name), `file ${name}`);
  const env = { VARIABLE: "v", BOTH: "variable BOTH" };
  const read = async (value: string) => {
    const [[id, source] = ["", ""]] = Object.entries(await parseSecrets([value], { cwd, env }));
    const got = typeof source === "function" ? await source() : (source ?? "");
    return [id, Buffer.from(got).toString()];
  };
  assert.deepEqual(await read("id=a,src=file"), ["a", "file file"]);
  assert.deepEqual(await read("ID=a,Source=file,type=file"), ["a", "file file"]);
  assert.deepEqual(await read("id=a,env=VARIABLE"), ["a", "v"]);
  assert.deepEqual(await read("type=env,id=a,src=VARIABLE"), ["a", "v"]);
  assert.deepEqual(await read("id=VARIABLE"), ["VARIABLE", "v"]);
  assert.deepEqual(await read("id=BOTH"), ["BOTH", "variable BOTH"]);
  assert.deepEqual(await read("id=file"), ["file", "file file"]);
  assert.deepEqual(await read("id=a,env=UNSET"), ["a", ""]);
  assert.deepEqual(await read('id=a,"src=b,c"'), ["a", "file b,c"]);
});

test("B28 secrets that cannot be are refused before the build, without their value", async (t) => {
  const cwd = makeFolder(t);
  writeFileSync(join(cwd, "large"), "canary".repeat(100_000));
  const refuses = async (value: string, code: string, message: RegExp) =>
    await assert.rejects(parseSecrets([value], { cwd, env: {} }), (error: Error & { code: string }) => {
      assert.deepEqual([error.code, message.test(error.message), error.message.includes("canary")], [code, true, false], value);
      return true;
    });
  await refuses("src=large", "USAGE", /secret missing ID/);
  await refuses("id=a,type=socket", "USAGE", /unsupported secret type "socket"/);
  await refuses("id=a,what=x", "USAGE", /unexpected key 'what' in 'what=x'/);
  await refuses("id", "USAGE", /must be a key=value pair/);
  await refuses("id=a,src=none", "FILE_UNREADABLE", /failed to stat/);
  await refuses("id=a,src=large", "SECRET_TOO_LARGE", /secret a too big. max size 500KiB/);
});

test("B30 agents are sockets or keys; without a path the one of SSH_AUTH_SOCK", async (t) => {
  const cwd = makeFolder(t);
  for (const name of ["key1", "key2"]) writeFileSync(join(cwd, name), "");
  const server = createServer().listen(join(cwd, "socket"));
  t.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const parse = async (...values: string[]) => ({
    ...(await parseAgents(values, { cwd, env: { SSH_AUTH_SOCK: "/run/agent" } })),
  });
  assert.deepEqual(await parse("default", "a=socket", "b=key1,key2"), {
    default: { socket: "/run/agent" },
    a: { socket: join(cwd, "socket") },
    b: { keys: [join(cwd, "key1"), join(cwd, "key2")] },
  });
  const refuses = async (values: readonly string[], code: string, message: RegExp, env = {}) =>
    await assert.rejects(parseAgents(values, { cwd, env }), { code, message });
  await refuses(["default"], "USAGE", /invalid empty ssh agent socket/);
  await refuses(["=key1"], "USAGE", /the id is empty/);
  await refuses(["a=key1", "a=key2"], "USAGE", /duplicate agent ID "a"/);
  await refuses(["a=none"], "FILE_UNREADABLE", /no such file/);
  await refuses(["a=socket,socket"], "USAGE", /only single socket/);
  await refuses(["a=socket,key1"], "USAGE", /invalid combination of keys and sockets/);
  await refuses(["a=raw=true"], "NOT_SUPPORTED_YET", /raw/);
});

test("B02 T30 T31 T32 two entitlements can be given, others are unknown or not there yet", () => {
  assert.deepEqual(parseEntitlements(["network.host", "security.insecure"]), ["network.host", "security.insecure"]);
  for (const later of ["device", "device=vendor.com/gpu", "buildx.local.delete"])
    assert.throws(() => parseEntitlements([later]), { code: "NOT_SUPPORTED_YET" }, later);
  for (const unknown of ["", "network", "NETWORK.HOST", "network.host=1", "fs.read=/"])
    assert.throws(() => parseEntitlements([unknown]), { code: "USAGE" }, unknown);
});

test("B06 X08 X09 X10 X11 X12 a build context is a folder, an image, an image layout or a URL", () => {
  const parse = (value: string) => parseContexts([`n=${value}`], { cwd: "/w" })["n"];
  assert.deepEqual(parse("sub/../lib"), { kind: "folder", path: "/w/lib" });
  assert.deepEqual(parse("/a=b"), { kind: "folder", path: "/a=b" });
  assert.deepEqual(parse("docker-image://busybox:1"), { kind: "image", reference: "busybox:1" });
  assert.deepEqual(parse("oci-layout://lay"), { kind: "oci-layout", path: "/w/lay" });
  assert.deepEqual(parse("oci-layout:///lay:t@sha256:x"), { kind: "oci-layout", path: "/lay", tag: "t", digest: "sha256:x" });
  for (const url of ["https://example.com/a.git#v1:sub", "http://example.com/x", "git@example.com:a/b", "git://example.com/a"])
    assert.deepEqual(parse(url), { kind: "url", url });
  assert.throws(() => parse("target:x"), { code: "USAGE" });
  assert.throws(() => parseContexts(["n"], { cwd: "/w" }), {
    code: "USAGE",
    message: "invalid context value: n, expected key=value",
  });
});
