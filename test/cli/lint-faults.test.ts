/** A folder of Dockerfiles, each with one planted fault: `--check` reports just these, by BuildKit's names for the rules. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { lintRules } from "../../src/dockerfile/index.ts";
import { start } from "../kit/command.ts";

const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const folder = new URL("../fixtures/lint", import.meta.url).pathname;

interface Report {
  readonly warnings?: readonly { readonly ruleName: string }[];
  readonly buildError?: unknown;
}

/** A registry that has one image, whatever it is asked for: for a machine that is nobody's. */
async function serveForeignImage(t: TestContext): Promise<number> {
  const blobs = new Map<string, { readonly type: string; readonly text: string }>();
  const add = (type: string, value: unknown) => {
    const text = JSON.stringify(value);
    const digest = `sha256:${hash("sha256", text)}`;
    blobs.set(digest, { type, text });
    return { mediaType: type, digest, size: text.length };
  };
  const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: `sha256:${"0".repeat(64)}`, size: 10_240 };
  const image = { architecture: "nobodys", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [layer.digest] } };
  const config = add("application/vnd.oci.image.config.v1+json", image);
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const { digest } = add(mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
  const server = createServer(({ method, url = "" }, response) => {
    const asked = /sha256:[0-9a-f]{64}/.exec(url)?.[0] ?? digest;
    const blob = blobs.get(asked);
    if (url === "/v2/" || blob === undefined) return void response.writeHead(blob === undefined ? 404 : 200).end();
    response.setHeader("docker-content-digest", asked).setHeader("content-type", blob.type);
    response.setHeader("content-length", blob.text.length).end(method === "HEAD" ? undefined : blob.text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test("N01 N22 N36 --check finds the one fault of each Dockerfile of a folder, and nothing else", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "varve-lint-faults-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const place = `127.0.0.1:${await serveForeignImage(t)}`;
  const configPath = join(root, "varve.toml");
  writeFileSync(configPath, `[registry."docker.io"]\nmirrors = ["${place}"]\n[registry."${place}"]\nhttp = true\n`);
  const env = { PATH: process.env["PATH"] ?? "", VARVE_ROOT: join(root, "store"), VARVE_CONFIG: configPath, HOME: root };
  const files = readdirSync(folder).filter((name) => name.endsWith(".Dockerfile"));
  const rows = [];
  for (const file of files) {
    const args = ["build", "--call=check,format=json", "--build-arg", "BASE=scratch", "-f", file, "."];
    const { code, stdout, stderr } = await start([process.execPath, main, ...args], { cwd: folder, env }).result;
    assert.equal(code, 1, `${file}: ${stdout.toString()}${stderr}`);
    const { warnings = [], buildError } = JSON.parse(stdout.toString()) as Report;
    assert.equal(buildError, undefined, file);
    rows.push({ rule: file.replace(/\.Dockerfile$/, ""), file, reported: warnings.map(({ ruleName }) => ruleName).join(" ") });
  }
  for (const { rule, file, reported } of rows) t.diagnostic(`${rule.padEnd(32)} ${file.padEnd(43)} ${reported}`);
  assert.deepEqual(rows.map(({ rule }) => rule).sort(), Object.keys(lintRules).sort(), "every rule has its file");
  assert.deepEqual(
    rows.filter(({ rule, reported }) => rule !== reported),
    [],
  );
});
