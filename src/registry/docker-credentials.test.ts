import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test, type TestContext } from "node:test";
import { loadDockerCredentials } from "./index.ts";

function folder(t: TestContext, config?: unknown): string {
  const path = mkdtempSync(join(tmpdir(), "varve-docker-config-"));
  t.after(() => rmSync(path, { recursive: true }));
  if (config !== undefined)
    writeFileSync(join(path, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return path;
}

/** Puts an executable helper on the PATH until the test ends. */
function installHelper(t: TestContext, name: string, script: string): void {
  const bin = folder(t);
  writeFileSync(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, `docker-credential-${name}`), 0o755);
  const before = process.env["PATH"] ?? "";
  process.env["PATH"] = bin + delimiter + before;
  t.after(() => (process.env["PATH"] = before));
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const anySignal = { signal: undefined };

test("no config file means anonymous", async (t) => {
  assert.equal(await loadDockerCredentials({ dockerConfigDir: join(folder(t), "none") })("example.com", anySignal), undefined);
});

test("logins of the config file are found by host, the Docker Hub's under its old address", async (t) => {
  const find = loadDockerCredentials({
    dockerConfigDir: folder(t, {
      auths: {
        "https://index.docker.io/v1/": { auth: base64("hub:p:w") },
        "https://old.example/v2/": { auth: base64("old:pw") },
        "example.com:5000": { identitytoken: "id", auth: base64("x:") },
        "token.example": { registrytoken: "rt" },
        "plain.example": { username: "u", password: "p" },
        "empty.example": {},
      },
    }),
  });
  const hosts = [
    "docker.io",
    "registry-1.docker.io",
    "old.example",
    "example.com:5000",
    "example.com",
    "token.example",
    "plain.example",
    "empty.example",
  ];
  assert.deepEqual(await Promise.all(hosts.map((host) => find(host, anySignal))), [
    { username: "hub", password: "p:w" },
    { username: "hub", password: "p:w" },
    { username: "old", password: "pw" },
    { identityToken: "id" },
    undefined,
    { registryToken: "rt" },
    { username: "u", password: "p" },
    undefined,
  ]);
});

test("a credential helper is asked for its hosts, and may hold a token or nothing", async (t) => {
  installHelper(
    t,
    "test",
    `read -r server || true; case "$1 $server" in
"get pw.example") echo '{"ServerURL":"pw.example","Username":"me","Secret":"pw"}';;
"get https://index.docker.io/v1/") echo '{"Username":"<token>","Secret":"id"}';;
"get slow.example") exec sleep 100;;
"get odd.example") echo 'my-secret {';;
*) echo "credentials not found in native keychain"; exit 1;; esac`,
  );
  const warnings: string[] = [];
  const dockerConfigDir = folder(t, {
    credsStore: "test",
    credHelpers: { "gone.example": "gone" },
    auths: { "file.example": { auth: base64("f:p") } },
  });
  const find = loadDockerCredentials({
    dockerConfigDir,
    onWarning: (message) => warnings.push(message),
    helperTimeoutMs: 60_000,
  });
  assert.deepEqual(await find("pw.example", anySignal), { username: "me", password: "pw" });
  assert.deepEqual(await find("docker.io", anySignal), { identityToken: "id" });
  assert.deepEqual(await find("file.example", anySignal), { username: "f", password: "p" });
  assert.equal(await find("none.example", anySignal), undefined);
  assert.deepEqual(warnings, []);
  assert.deepEqual([await find("gone.example", anySignal), await find("gone.example", anySignal)], [undefined, undefined]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /docker-credential-gone .* is not installed/);
  await assert.rejects(
    find("odd.example", anySignal),
    (error: Error & { code: string }) => error.code === "CREDENTIALS_INVALID" && !error.message.includes("secret {"),
  );
  await assert.rejects(loadDockerCredentials({ dockerConfigDir, helperTimeoutMs: 30 })("slow.example", anySignal), {
    code: "TIMED_OUT",
  });
});

test("a file that cannot be read is told without its text", async (t) => {
  for (const config of [
    '{"auths": secret',
    JSON.stringify({ auths: { "a.example": { auth: "!!" } } }),
    JSON.stringify({ credsStore: "../evil" }),
  ]) {
    await assert.rejects(
      loadDockerCredentials({ dockerConfigDir: folder(t, config) })("a.example", anySignal),
      (error: Error & { code: string; cause?: unknown }) =>
        error.code === "CREDENTIALS_INVALID" && !/secret/.test(`${error.message}${String(error.cause)}`),
    );
  }
});
