/** Pulls, pushes and builds over a network that fails, and from registries that lie: all end well, or with a clear error. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { describeOnce } from "../kit/each-way.ts";
import { startFaultProxy, type Fault, type FaultProxy } from "../kit/fault-proxy.ts";
import { startRegistry, type Registry } from "../kit/registry.ts";

/** A blob that has bad luck meets with every fault of the others' requests: first its POST fails, and then its PUT. */
const transfers = `[transfers]
maxRetryDelay = "200ms"
attempts = 8
`;
/** Where something never comes, it is not waited for long. Nowhere else: a slow machine would be taken for a bad network. */
const impatience = `connectTimeout = "2s"
answerTimeout = "1s"
idleTimeout = "1s"
uploadTimeout = "2s"
`;
/** However slow the machine is: nothing takes this long (ms). */
const patienceMs = 300_000;
const layerBytes = 3_000_000;

describeOnce("a network that fails", (box) => {
  let registry: Registry;
  let proxy: FaultProxy;
  let stores = 0;
  const pass: Fault = { kind: "pass" };
  const image = (tag: string) => `${proxy.host}/team/app:${tag}`;
  const inTime = async <T>(work: Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("it did not end")), patienceMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  };
  const freshStore = () => `store-${(stores += 1)}`;
  /** What to run a command with while this happens to its requests. */
  const envFor = ({ kind }: Fault): { readonly env?: Readonly<Record<string, string>> } =>
    kind === "hang" ? { env: { VARVE_CONFIG: box.path("impatient", "varve.toml") } } : {};
  const pull = async (store = freshStore(), fault: Fault = pass) =>
    await inTime(box.varve(["pull", image("1")], { store, ...envFor(fault) }));
  const idIn = async (store: string) =>
    (await box.succeed(["inspect", "-f", "{{.Id}}", image("1")], { store })).stdout.toString().trim();
  /** A change of the context's random file makes another layer. */
  const buildImage = async (tag: string) => {
    const files = {
      Dockerfile: "FROM scratch\nCOPY data /data\nCOPY two /two\n",
      data: randomBytes(layerBytes),
      two: randomBytes(1000),
    };
    const built = await box.build(files, ["-t", image(tag)]);
    assert.equal(built.code, 0, built.stderr);
  };
  let id = "";

  before(async () => {
    registry = await startRegistry(box.path("registry"));
    proxy = await startFaultProxy(registry.host);
    const given = readFileSync(box.path("varve.toml"), "utf8");
    box.write("impatient", { "varve.toml": `${given}\n${transfers}${impatience}${proxy.settings}` });
    appendFileSync(box.path("varve.toml"), `\n${transfers}${proxy.settings}`);
    await buildImage("1");
    await box.succeed(["push", image("1")]);
    id = await idIn("store");
  });
  after(async () => {
    proxy.stop();
    await registry.stop();
  });

  const passing: readonly (readonly [string, (seen: number) => Fault])[] = [
    ["that breaks off the first two times", (seen) => (seen <= 2 ? { kind: "drop" } : pass)],
    ["that never answers the first time", (seen) => (seen === 1 ? { kind: "hang" } : pass)],
    ["that is slow", () => ({ kind: "delay", ms: 200 })],
    [
      "that answers 429 with Retry-After",
      (seen) => (seen <= 2 ? { kind: "status", status: 429, headers: { "retry-after": "1" } } : pass),
    ],
    ["that answers 503", (seen) => (seen <= 2 ? { kind: "status", status: 503 } : pass)],
    ["whose answers are cut short", (seen) => (seen <= 2 ? { kind: "truncate", bytes: 100 } : pass)],
  ];
  for (const [what, fault] of passing) {
    test(`O04 a pull from a registry ${what} ends well`, async () => {
      proxy.decide(({ method, seen }) => (method === "GET" ? fault(seen) : pass));
      const store = freshStore();
      const { code, stderr } = await pull(store, fault(1));
      assert.equal(code, 0, stderr);
      assert.equal(await idIn(store), id);
    });
    test(`E35 a push to a registry ${what} ends well`, async () => {
      proxy.decide(() => pass);
      const tag = `push-${stores++}`;
      await buildImage(tag);
      proxy.decide(({ method, path, seen }) => (method === "GET" || path.includes("mount=") ? pass : fault(seen)));
      const { code, stderr } = await inTime(box.varve(["push", image(tag)], envFor(fault(1))));
      assert.equal(code, 0, stderr);
    });
  }

  test("E35 an upload that is cut in the middle is finished all the same", async () => {
    await buildImage("cut");
    proxy.decide(({ method, seen }) => (method === "PUT" && seen === 1 ? { kind: "cut-upload", bytes: 1_000_000 } : pass));
    const { code, stderr } = await inTime(box.varve(["push", image("cut")]));
    assert.equal(code, 0, stderr);
    proxy.decide(() => pass);
    assert.equal((await inTime(box.varve(["pull", image("cut")], { store: freshStore() }))).code, 0);
  });

  const lasting: readonly (readonly [string, Fault, RegExp])[] = [
    ["that always breaks off", { kind: "drop" }, /REGISTRY_UNREACHABLE/],
    ["that never answers", { kind: "hang" }, /TIMED_OUT/],
    ["that always answers 429", { kind: "status", status: 429, headers: { "retry-after": "3600" } }, /REGISTRY_LIMITED/],
    ["that always answers 500", { kind: "status", status: 500 }, /REGISTRY_UNREACHABLE/],
    ["that sends headers without end", { kind: "endless-headers" }, /REGISTRY_UNREACHABLE|TIMED_OUT/],
    ["that redirects for ever", { kind: "redirect", to: "/v2/around" }, /REGISTRY_PROTOCOL/],
  ];
  for (const [what, fault, code] of lasting) {
    test(`I01 a pull, a build and a push with a registry ${what} end with its name`, async () => {
      proxy.decide(() => fault);
      const pulled = await pull(freshStore(), fault);
      assert.equal(pulled.code, 5, pulled.stderr);
      assert.match(pulled.stderr, code);
      assert.ok(pulled.stderr.includes(proxy.host), pulled.stderr);
      if (fault.kind === "hang" || fault.kind === "status") {
        const built = await inTime(box.build({ Dockerfile: `FROM ${image("1")}\n` }, ["--pull"], envFor(fault)));
        assert.equal(built.code, 5, built.stderr);
        assert.match(built.stderr, /^Dockerfile:1$/m);
      }
      const pushed = await inTime(box.varve(["push", image("1")], envFor(fault)));
      assert.equal(pushed.code, 7, pushed.stderr);
      assert.match(pushed.stderr, /\[PUSH_FAILED\]/);
      assert.match(pushed.stderr, new RegExp(`varve push ${image("1")}`));
      assert.equal(await idIn("store"), id);
    });
  }

  const lies: readonly (readonly [string, (method: string, path: string) => Fault, RegExp])[] = [
    [
      "whose layers are other bytes",
      (_, path) => (path.includes("/blobs/") ? { kind: "corrupt" } : pass),
      /CONTENT_DIGEST_MISMATCH/,
    ],
    [
      "whose manifests are other bytes",
      (_, path) => (path.includes("/manifests/sha256") ? { kind: "corrupt" } : pass),
      /CONTENT_DIGEST_MISMATCH|REGISTRY_PROTOCOL/,
    ],
    [
      "that says another digest of a tag",
      (method) => (method === "HEAD" ? { kind: "lie", headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` } } : pass),
      /REGISTRY_NOT_FOUND|CONTENT_DIGEST_MISMATCH/,
    ],
    [
      "whose blobs have no end",
      (_, path) => (path.includes("/blobs/") ? { kind: "endless-body" } : pass),
      /CONTENT_(DIGEST|SIZE)_MISMATCH/,
    ],
    [
      "whose manifests have no end",
      (method) => (method === "GET" ? { kind: "endless-body" } : pass),
      /CONTENT_|REGISTRY_TOO_LARGE/,
    ],
  ];
  for (const [what, fault, code] of lies) {
    test(`B24 a pull from a registry ${what} is refused, and keeps nothing of it`, async () => {
      proxy.decide(({ method, path }) => fault(method, path));
      const store = freshStore();
      const pulled = await pull(store);
      assert.notEqual(pulled.code, 0);
      assert.match(pulled.stderr, code);
      assert.ok(pulled.stderr.includes(proxy.host), pulled.stderr);
      proxy.decide(() => pass);
      assert.equal((await pull(store)).code, 0);
      assert.equal(await idIn(store), id);
    });
  }

  test("W07 O25 mirrors that lie, hang or are gone are passed over", async () => {
    const mirror = await startFaultProxy(registry.host);
    try {
      const config = `${readFileSync(box.path("impatient", "varve.toml"), "utf8").replace(`[registry."${proxy.host}"]\n`, "$&" + `mirrors = ["127.0.0.1:1", "${mirror.host}"]\n`)}`;
      box.write("mirrors", { "varve.toml": config });
      const env = { VARVE_CONFIG: box.path("mirrors", "varve.toml") };
      proxy.decide(() => pass);
      for (const fault of [{ kind: "corrupt" }, { kind: "hang" }, { kind: "status", status: 404 }] as const) {
        mirror.decide(({ path }) => (path.includes("/blobs/") ? fault : pass));
        const { code, stderr } = await inTime(box.varve(["pull", image("1")], { store: freshStore(), env }));
        assert.equal(code, 0, stderr);
      }
      assert.ok(mirror.asked.some((line) => line.includes("/blobs/")));
    } finally {
      mirror.stop();
    }
  });

  test("O25 a redirect to another host carries no credentials there", async () => {
    const headers: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
      headers.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const address = elsewhere.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const guarded = createServer((request, response) => {
      if (request.headers.authorization === undefined)
        return response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      response.writeHead(307, { location: `http://127.0.0.1:${port}/there` }).end();
    });
    await new Promise<void>((resolve) => guarded.listen(0, "127.0.0.1", resolve));
    const own = guarded.address();
    const host = `127.0.0.1:${typeof own === "object" && own !== null ? own.port : 0}`;
    try {
      const auths = { [host]: { auth: Buffer.from("me:pw").toString("base64") } };
      box.write("docker", { "config.json": JSON.stringify({ auths }) });
      const { code } = await box.varve(["pull", `${host}/a:1`], {
        env: { DOCKER_CONFIG: box.path("docker") },
        store: freshStore(),
      });
      assert.equal(code, 5);
      assert.ok(headers.length > 0);
      assert.ok(headers.every((authorization) => authorization === undefined));
    } finally {
      for (const server of [elsewhere, guarded]) {
        server.closeAllConnections();
        server.close();
      }
    }
  });

  test("E35 a second push of an almost unchanged image sends only what is new", async () => {
    proxy.decide(() => pass);
    const files = { Dockerfile: "FROM scratch\nCOPY data /data\nCOPY two /two\n", data: randomBytes(layerBytes), two: "one" };
    assert.equal((await box.build(files, ["-t", image("small-1")])).code, 0);
    const begin = proxy.uploadedBytes();
    await box.succeed(["push", image("small-1")]);
    const first = proxy.uploadedBytes() - begin;
    assert.ok(first > layerBytes, `${first} bytes`);
    assert.equal((await box.build({ ...files, two: "two" }, ["-t", image("small-2")])).code, 0);
    await box.succeed(["push", image("small-2")]);
    const second = proxy.uploadedBytes() - begin - first;
    assert.ok(second < 10_000, `${second} bytes`);
    await box.succeed(["push", image("small-2")]);
    const third = proxy.uploadedBytes() - begin - first - second;
    assert.ok(third < 2000, `${third} bytes: the manifest alone`);
  });

  test("E35 a push to another repository takes the layers from where they are", async () => {
    await box.succeed(["tag", image("1"), `${proxy.host}/other/app:1`]);
    const begin = proxy.uploadedBytes();
    const { stdout } = await box.succeed(["push", `${proxy.host}/other/app:1`]);
    assert.ok(proxy.uploadedBytes() - begin < 10_000);
    assert.match(stdout.toString(), /^[0-9a-f]{12}: Mounted from team\/app$/m);
    assert.ok(proxy.asked.some((line) => line.startsWith("POST") && line.includes("mount=sha256") && line.includes("from=team")));
  });
});
