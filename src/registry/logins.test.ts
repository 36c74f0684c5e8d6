import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test, type TestContext } from "node:test";
import { answer, connect, serve } from "./fake-registry.kit.test.ts";
import { forgetCredentials, keepCredentials, loadDockerCredentials } from "./index.ts";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "varve-logins-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

const signal = undefined;
const read = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

test("O04 a login is kept in config.json for its user alone, and leaves the rest of the file as it is", async (t) => {
  const dockerConfigDir = join(folder(t), "deep", "docker");
  const path = join(dockerConfigDir, "config.json");
  assert.deepEqual(await keepCredentials("example.com:5000", { username: "me", password: "p:w" }, { dockerConfigDir }), {
    file: path,
  });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  writeFileSync(path, JSON.stringify({ psFormat: "x", auths: { "https://example.com:5000/v1/": { auth: "b2xk" }, other: {} } }));
  await keepCredentials("example.com:5000", { username: "me", identityToken: "lasting" }, { dockerConfigDir });
  assert.deepEqual(read(path), {
    psFormat: "x",
    auths: { other: {}, "example.com:5000": { auth: Buffer.from("me:").toString("base64"), identitytoken: "lasting" } },
  });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(dockerConfigDir), ["config.json"]);
  assert.deepEqual(await loadDockerCredentials({ dockerConfigDir })("example.com:5000", { signal }), {
    identityToken: "lasting",
  });
  assert.equal(await forgetCredentials("example.com:5000", { dockerConfigDir }), true);
  assert.equal(await forgetCredentials("example.com:5000", { dockerConfigDir }), false);
  assert.deepEqual(read(path), { psFormat: "x", auths: { other: {} } });
});

test("a config.json that is a link stays one, and one that cannot be read is not written over", async (t) => {
  const [dockerConfigDir, elsewhere] = [folder(t), folder(t)];
  writeFileSync(join(elsewhere, "real.json"), "{}");
  symlinkSync(join(elsewhere, "real.json"), join(dockerConfigDir, "config.json"));
  await keepCredentials("docker.io", { username: "me", password: "pw" }, { dockerConfigDir });
  assert.deepEqual(read(join(elsewhere, "real.json")), {
    auths: { "https://index.docker.io/v1/": { auth: Buffer.from("me:pw").toString("base64") } },
  });
  writeFileSync(join(elsewhere, "real.json"), "{ my own notes");
  await assert.rejects(keepCredentials("docker.io", { username: "me", password: "pw" }, { dockerConfigDir }), {
    code: "CREDENTIALS_INVALID",
  });
  assert.equal(readFileSync(join(elsewhere, "real.json"), "utf8"), "{ my own notes");
});

test("a helper keeps and forgets what the file then does not hold; one that is missing is an error", async (t) => {
  const [dockerConfigDir, bin] = [folder(t), folder(t)];
  const log = join(bin, "log");
  writeFileSync(join(bin, "docker-credential-kept"), `#!/bin/sh\necho "$1 $(cat)" >>${log}\n`);
  chmodSync(join(bin, "docker-credential-kept"), 0o755);
  const before = process.env["PATH"] ?? "";
  process.env["PATH"] = bin + delimiter + before;
  t.after(() => (process.env["PATH"] = before));
  writeFileSync(
    join(dockerConfigDir, "config.json"),
    JSON.stringify({ credsStore: "kept", credHelpers: { "gone.example": "gone" } }),
  );
  assert.deepEqual(await keepCredentials("a.example", { username: "me", password: "secret" }, { dockerConfigDir }), {
    helper: "kept",
  });
  await keepCredentials("b.example", { username: "me", identityToken: "lasting" }, { dockerConfigDir });
  await forgetCredentials("a.example", { dockerConfigDir });
  assert.deepEqual(readFileSync(log, "utf8").trim().split("\n"), [
    'store {"ServerURL":"a.example","Username":"me","Secret":"secret"}',
    'store {"ServerURL":"b.example","Username":"<token>","Secret":"lasting"}',
    "erase a.example",
  ]);
  assert.ok(!readFileSync(join(dockerConfigDir, "config.json"), "utf8").includes("secret"));
  await assert.rejects(keepCredentials("gone.example", { username: "me", password: "pw" }, { dockerConfigDir }), {
    code: "CREDENTIALS_UNWRITABLE",
    message: /docker-credential-gone .* is not installed/,
  });
});

test("a config folder that cannot be written is told", async (t) => {
  const base = folder(t);
  mkdirSync(join(base, "config.json"));
  await assert.rejects(keepCredentials("a.example", { username: "me", password: "pw" }, { dockerConfigDir: base }), {
    code: "CREDENTIALS_INVALID",
  });
  writeFileSync(join(base, "file"), "");
  await assert.rejects(
    keepCredentials("a.example", { username: "a", password: "b" }, { dockerConfigDir: join(base, "file", "x") }),
    {
      kind: /invalid|failed/,
    },
  );
});

test("credentials are proved by the root of the API: basic, and by a token server that gives a lasting token", async (t) => {
  const basic = await serve(t, (request, response) =>
    request.headers.authorization === `Basic ${Buffer.from("me:pw").toString("base64")}`
      ? answer(response, 200, {}, "{}")
      : answer(response, 401, { "www-authenticate": 'Basic realm="x"' }),
  );
  const realm = await serve(t, (request, response) =>
    request.headers.authorization === undefined
      ? answer(response, 401)
      : answer(response, 200, {}, JSON.stringify({ token: "short", refresh_token: "lasting" })),
  );
  const tokens = await serve(t, (request, response) =>
    request.headers.authorization === "Bearer short"
      ? answer(response, 200, {}, "{}")
      : answer(response, 401, { "www-authenticate": `Bearer realm="http://${realm.host}/token",service="s"` }),
  );
  const client = connect(t);
  const known = { username: "me", password: "pw" };
  assert.deepEqual(await client.checkCredentials(basic.host, known), known);
  await assert.rejects(client.checkCredentials(basic.host, { username: "me", password: "no" }), {
    code: "REGISTRY_DENIED",
    message: /login attempt to .* failed/,
  });
  assert.deepEqual(await client.checkCredentials(tokens.host, known), { username: "me", identityToken: "lasting" });
  assert.deepEqual(realm.asked, ["GET /token?service=s&client_id=varve&offline_token=true&account=me"]);
});
