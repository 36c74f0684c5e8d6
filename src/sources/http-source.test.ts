import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { openContentStore, type ContentStore } from "../content/index.ts";
import { isVarveError } from "../errors/index.ts";
import { openState, type State } from "../state/index.ts";
import type { HttpLimits } from "./http-fetch.ts";
import { fileNameOf, readHttpRequest } from "./http-request.ts";
import { createHttpSource, httpSchema, type HttpFile, type HttpSource } from "./http-source.ts";
import type { ReadSecret } from "./secret.ts";

let folder: string;
let state: State;
let content: ContentStore;
let origin: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let seen: IncomingMessage[] = [];
const sources: HttpSource[] = [];
const server = createServer((request, response) => {
  seen.push(request);
  answer(request, response);
});

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "varve-http-"));
  state = openState(folder, [httpSchema]);
  content = openContentStore(folder);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

beforeEach(() => {
  seen = [];
  state.run("DELETE FROM http_answers");
});

after(async () => {
  for (const source of sources) source.close();
  server.closeAllConnections();
  server.close();
  state.close();
  await rm(folder, { recursive: true });
});

interface FetchSetup {
  readonly attrs?: Record<string, string>;
  readonly limits?: Partial<HttpLimits>;
  readonly secrets?: Record<string, string>;
  readonly signal?: AbortSignal;
}

async function fetch(
  path: string,
  { attrs = {}, limits = {}, secrets = {}, signal = new AbortController().signal }: FetchSetup = {},
): Promise<HttpFile> {
  const source = createHttpSource({ state, content, userAgent: "test/1", limits: { retryDelayMs: 1, ...limits } });
  sources.push(source);
  const secret: ReadSecret = async (id) => (Object.hasOwn(secrets, id) ? Buffer.from(secrets[id] ?? "") : undefined);
  return source.fetch(readHttpRequest(path.startsWith("http") ? path : origin + path, attrs), { signal, secret });
}

async function bodyOf({ digest }: HttpFile): Promise<string> {
  return Buffer.from(await content.readAll(digest, { maxBytes: 1e6 })).toString();
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    assert.ok(isVarveError(error), String(error));
    return error.code;
  }
  return "none";
}

const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

test("C14 a file comes with its hash, its time and the name that its URL gives", async () => {
  answer = (_, response) => response.setHeader("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT").end("hello");
  const file = await fetch("/a/b.txt?x=1");
  assert.deepEqual(file, { digest: digestOf("hello"), size: 5, filename: "b.txt", modifiedSeconds: 1_445_412_480 });
  assert.equal(await bodyOf(file), "hello");
});

test("C14 an unchanged file is not sent again: its ETag is asked about, weak or not", async () => {
  let sent = 0;
  answer = (request, response) => {
    response.setHeader("etag", 'W/"one"');
    if (request.headers["if-none-match"] === '"one"') return void response.writeHead(304).end();
    sent += 1;
    response.end("first");
  };
  const first = await fetch("/etag");
  assert.deepEqual(await fetch("/etag"), first);
  assert.equal(sent, 1);
  answer = (_, response) => response.setHeader("etag", '"two"').end("second");
  assert.equal(await bodyOf(await fetch("/etag")), "second");
});

test("C14 a server that ignores If-None-Match but says the same ETag is believed, without its body", async () => {
  answer = (_, response) => response.setHeader("etag", '"same"').end("x".repeat(100));
  const first = await fetch("/ignoring");
  answer = (_, response) => void response.setHeader("etag", '"same"').write("never the end");
  assert.deepEqual(await fetch("/ignoring"), first);
});

test("C14 a time is asked about where it cannot hide a change", async () => {
  const modified = "Wed, 21 Oct 2015 07:28:00 GMT";
  answer = (request, response) => {
    response.setHeader("last-modified", modified);
    if (request.headers["if-modified-since"] === modified) response.writeHead(304).end();
    else response.end("old");
  };
  const first = await fetch("/time");
  assert.deepEqual(await fetch("/time"), first);
  answer = (_, response) => response.writeHead(200, { "last-modified": modified, date: modified }).end("fresh");
  const young = await fetch("/young");
  await fetch("/young");
  assert.equal(seen.at(-1)?.headers["if-modified-since"], undefined);
  assert.equal(await bodyOf(young), "fresh");
});

test("C15 a checksum is met or the build fails; once met, nobody is asked", async () => {
  answer = (_, response) => response.end("pinned");
  const attrs = { "http.checksum": digestOf("pinned") };
  const file = await fetch("/pinned", { attrs });
  const asked = seen.length;
  assert.deepEqual(await fetch("/pinned", { attrs }), file);
  assert.equal(seen.length, asked);
  assert.equal(await failureOf(fetch("/pinned", { attrs: { "http.checksum": digestOf("other") } })), "CONTENT_DIGEST_MISMATCH");
  assert.equal(await failureOf(fetch("/pinned", { attrs: { "http.checksum": "sha256:12" } })), "DIGEST_INVALID");
});

test("C16 the host's secrets authorize; of both the token counts; they stay with their host", async () => {
  answer = (_, response) => response.end("x");
  await fetch("/auth", { secrets: { "HTTP_AUTH_HEADER_127.0.0.1": "Basic abc\n" } });
  assert.equal(seen.at(-1)?.headers.authorization, "Basic abc");
  await fetch("/auth", { secrets: { "HTTP_AUTH_HEADER_127.0.0.1": "Basic abc", "HTTP_AUTH_TOKEN_127.0.0.1": "tok" } });
  assert.equal(seen.at(-1)?.headers.authorization, "Bearer tok");
  answer = (request, response) =>
    request.headers.host?.startsWith("localhost") === true
      ? response.end("y")
      : response.writeHead(302, { location: origin.replace("127.0.0.1", "localhost") }).end();
  await fetch("/elsewhere", { secrets: { "HTTP_AUTH_TOKEN_127.0.0.1": "tok" } });
  assert.equal(seen.at(-1)?.headers.authorization, undefined);
  answer = (_, response) => response.writeHead(401).end();
  assert.equal(await failureOf(fetch("/auth2")), "HTTP_DENIED");
});

test("redirects are followed ten times, to web addresses only", async () => {
  answer = (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end("there");
    else response.writeHead(302, { location: `/${left - 1}` }).end();
  };
  const file = await fetch("/10");
  assert.equal(await bodyOf(file), "there");
  assert.equal(file.filename, "10");
  assert.equal(await failureOf(fetch("/11")), "HTTP_REDIRECTS");
  answer = (_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end();
  assert.equal(await failureOf(fetch("/file")), "HTTP_REDIRECTS");
});

test("a server that hangs, breaks off or sends too much ends the fetch by name", async () => {
  answer = () => undefined;
  assert.equal(await failureOf(fetch("/hang", { limits: { headersTimeoutMs: 30, attempts: 1 } })), "HTTP_FAILED");
  answer = (_, response) => void response.writeHead(200, { "content-length": "10" }).write("abc");
  assert.equal(await failureOf(fetch("/stall", { limits: { idleTimeoutMs: 30, attempts: 1 } })), "HTTP_FAILED");
  answer = (_, response) => void response.end("0123456789");
  assert.equal(await failureOf(fetch("/big", { limits: { maxBodyBytes: 9 } })), "CONTENT_TOO_LARGE");
  answer = (_, response) => response.writeHead(404).end();
  assert.equal(await failureOf(fetch("/missing")), "HTTP_NOT_FOUND");
  const controller = new AbortController();
  answer = () => controller.abort(new Error("stop"));
  await assert.rejects(fetch("/abort", { signal: controller.signal }), { message: "stop" });
});

test("a server's passing failure is tried again, a lasting one is not", async () => {
  answer = (_, response) => void (seen.length < 3 ? response.writeHead(503).end() : response.end("at last"));
  assert.equal(await bodyOf(await fetch("/busy")), "at last");
  seen = [];
  answer = (_, response) => response.writeHead(400).end();
  assert.equal(await failureOf(fetch("/bad")), "HTTP_FAILED");
  assert.equal(seen.length, 1);
});

test("a body that was compressed for the way is stored as it was, and a damaged one is refused", async () => {
  answer = (_, response) => response.setHeader("content-encoding", "gzip").end(gzipSync("plain"));
  assert.equal(await bodyOf(await fetch("/gzip")), "plain");
  answer = (_, response) => response.setHeader("content-encoding", "gzip").end("not gzip");
  assert.equal(await failureOf(fetch("/gzip2")), "HTTP_FAILED");
});

test("C14 the name is the asked one, the answer's, the URL's or download, and never a path", () => {
  const name = (disposition?: string, url = "http://h/x/y.txt", filename?: string) => fileNameOf({ url, filename }, disposition);
  assert.equal(name('attachment; filename="../../etc/passwd"'), "passwd");
  assert.equal(name("attachment; filename=plain.bin; x=y"), "plain.bin");
  assert.equal(name("attachment; filename*=UTF-8''a%20b.txt; filename=c"), "a b.txt");
  assert.equal(name('attachment; filename=".."'), "download");
  assert.equal(name('attachment; filename="dir/"'), "y.txt");
  assert.equal(name("inline"), "y.txt");
  assert.equal(name(undefined, "http://h/"), "download");
  assert.equal(name(undefined, "http://h/%2e%2e"), "download");
  assert.equal(name(undefined, "http://h/a%0ab"), "download");
  assert.equal(name('filename="z"', "http://h/y", "asked"), "asked");
});

test("L24 attributes are read, and unknown ones refused", () => {
  const request = readHttpRequest("http://h/x", {
    "http.perm": "0644",
    "http.uid": "5",
    "http.gid": "6",
    "http.header.accept": "text/plain",
  });
  assert.deepEqual([request.mode, request.uid, request.gid, request.headers], [0o644, 5, 6, [["accept", "text/plain"]]]);
  assert.equal(readHttpRequest("http://h/x", {}).mode, 0o600);
  for (const attrs of [{ "http.nonsense": "1" }, { "http.perm": "rw" }, { "http.header.cookie": "x" }, { "http.uid": "-1" }]) {
    assert.throws(() => readHttpRequest("http://h/x", attrs), { code: "SOURCE_ATTRIBUTE" });
  }
});

test("L54 the key holds name, mode, owner, content and time", async () => {
  const source = createHttpSource({ state, content, userAgent: "test/1" });
  const file: HttpFile = {
    digest: readHttpRequest("http://h/x", { "http.checksum": digestOf("a") }).checksum ?? assert.fail(),
    size: 1,
    filename: "x",
    modifiedSeconds: 1,
  };
  const key = (attrs: Record<string, string>, change: Partial<HttpFile> = {}, url = "http://h/x") =>
    source.keyOf(readHttpRequest(url, attrs), { ...file, ...change });
  const keys = [
    key({}),
    key({ "http.perm": "0644" }),
    key({ "http.uid": "1" }),
    key({ "http.gid": "1" }),
    key({}, { filename: "y" }),
    key({}, { modifiedSeconds: undefined }),
  ];
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(key({}, {}, "http://elsewhere/x"), keys[0]);
});
