import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { serveAgent } from "./serve-agent.ts";
import { openSshAgents } from "./ssh-agents.ts";

const path = process.env["PATH"] ?? "";

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "varve-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function makeKey(folder: string, name: string, passphrase = ""): { readonly file: string; readonly publicKey: string } {
  const file = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", file]);
  return { file, publicKey: readFileSync(`${file}.pub`, "utf8").trim() };
}

/** What ssh-add prints; it may fail. */
async function client(socket: string, ...args: string[]): Promise<string> {
  const result = promisify(execFile)("ssh-add", args, { env: { PATH: path, SSH_AUTH_SOCK: socket } });
  const { stdout, stderr } = await result.catch((error: Error & { stdout: string; stderr: string }) => error);
  return (stdout + stderr).trim();
}

test("R05 B30 key files are served by an agent that lists and signs, takes no key, and ends with the build", async (t) => {
  const folder = makeFolder(t);
  const [one, two] = [makeKey(folder, "one"), makeKey(folder, "two")];
  chmodSync(one.file, 0o644); // ssh-add would refuse to read it by name
  const agents = openSshAgents({ default: { keys: [one.file, two.file] } }, { path });
  const agent = (await agents.socketOf("default")) ?? "";
  assert.equal(await agents.socketOf("default"), agent);
  assert.equal(await agents.socketOf("other"), undefined);
  // longer than an address of a socket can be
  const deep = join(folder, "d".repeat(60), "e".repeat(60));
  mkdirSync(deep, { recursive: true });
  const service = await serveAgent({
    agent,
    path: join(deep, "socket"),
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    mode: 0o640,
  });
  assert.equal(statSync(service.path).mode & 0o7777, 0o640);
  // the client knows no way around the limit, so it comes in through a second relay
  const near = await serveAgent({
    agent: service.path,
    path: join(folder, "near"),
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    mode: 0o600,
  });
  assert.equal(await client(near.path, "-L"), `${one.publicKey}\n${two.publicKey}`);
  assert.equal(await client(near.path, "-T", `${one.file}.pub`), "");
  assert.match(await client(near.path, "-D"), /Failed to remove all identities/);
  assert.match(await client(near.path, "-q", makeKey(folder, "three").file), /Could not add identity/);
  assert.equal((await client(agent, "-L")).split("\n").length, 2);
  await near[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
  await agents[Symbol.asyncDispose]();
  assert.equal(existsSync(service.path), false);
  assert.equal(existsSync(agent), false);
});

test("B30 an agent that runs already is used as it is", async (t) => {
  const folder = makeFolder(t);
  writeFileSync(join(folder, "socket"), "");
  await using agents = openSshAgents({ id: { socket: join(folder, "socket") } }, { path });
  assert.equal(await agents.socketOf("id"), join(folder, "socket"));
});

test("B30 keys that are missing, damaged or locked by a passphrase are refused by name", async (t) => {
  const folder = makeFolder(t);
  assert.throws(() => openSshAgents({ a: { keys: [join(folder, "none")] } }, { path }), { code: "SSH_KEY_UNREADABLE" });
  writeFileSync(join(folder, "text"), "no key\n");
  for (const file of [join(folder, "text"), makeKey(folder, "locked", "secret").file, folder]) {
    await using agents = openSshAgents({ a: { keys: [file] } }, { path });
    await assert.rejects(agents.socketOf("a"), { code: "SSH_KEY_UNREADABLE" }, file);
  }
});

test("B30 a machine without OpenSSH is told so", async (t) => {
  const folder = makeFolder(t);
  const { file } = makeKey(folder, "key");
  await using agents = openSshAgents({ a: { keys: [file] } }, { path: folder });
  await assert.rejects(agents.socketOf("a"), { code: "SSH_AGENT_MISSING" });
});

test("B30 an agent for keys ends with the process that started it, however that ends", async (t) => {
  const folder = makeFolder(t);
  const { file } = makeKey(folder, "key");
  const program = `
    const { openSshAgents } = await import(${JSON.stringify(join(import.meta.dirname, "ssh-agents.ts"))});
    const agents = openSshAgents({ a: { keys: [${JSON.stringify(file)}] } }, { path: process.env.PATH });
    console.log(await agents.socketOf("a"));
    process.kill(process.pid, "SIGKILL");`;
  const killed = promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
    env: { PATH: path, TMPDIR: folder },
  });
  const { stdout, signal } = (await killed.catch((error: unknown) => error)) as {
    readonly stdout: string;
    readonly signal?: string;
  };
  assert.equal(signal, "SIGKILL");
  assert.match(stdout, /^\/.*\/agent\n$/);
  while (existsSync(dirname(stdout.trim()))) await new Promise((resolve) => setTimeout(resolve, 20));
});
