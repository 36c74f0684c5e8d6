import assert from "node:assert/strict";
import test from "node:test";
import { containerHash } from "./config-hash.ts";
import { grantedFiles } from "./granted-files.ts";
import { projectOf } from "./project-fixture.test.ts";
import { alongDependencies, orderServices, selectServices } from "./service-order.ts";

const on = (...names: string[]) => ({
  depends_on: Object.fromEntries(names.map((name) => [name, { condition: "service_started" as const, required: true }])),
});
const { services } = projectOf({ a: on("b", "c"), b: on("d"), c: on("d"), d: {}, e: {} });

test("M64 services that are named bring along what they depend on, unless alone", () => {
  const names = (list: readonly { readonly name: string }[]): readonly string[] => list.map(({ name }) => name);
  assert.deepEqual(names(selectServices(services, ["b"])), ["b", "d"]);
  assert.deepEqual(names(selectServices(services, ["b"], { alone: true })), ["b"]);
  assert.deepEqual(names(selectServices(services, [])), ["a", "b", "c", "d", "e"]);
  assert.throws(() => selectServices(services, ["x"]), { code: "SERVICE_NOT_FOUND", message: "no such service: x" });
});

test("M83 dependencies come first, and a ring is refused", () => {
  assert.deepEqual(
    orderServices(Object.values(services)).map(({ name }) => name),
    ["d", "b", "c", "a", "e"],
  );
  const ring = projectOf({ a: on("b"), b: on("a") }).services;
  assert.throws(() => orderServices(Object.values(ring)), { message: "dependency cycle detected: a -> b -> a" });
});

test("M83 work begins when that of all dependencies is done, and with reverse that of all dependents", async () => {
  for (const reverse of [false, true]) {
    const log: string[] = [];
    await alongDependencies(
      Object.values(services),
      async ({ name }) => {
        log.push(`+${name}`);
        await Promise.resolve();
        log.push(`-${name}`);
      },
      { reverse },
    );
    const before = (left: string, right: string): void => assert.ok(log.indexOf(left) < log.indexOf(right), `${left} ${right}`);
    for (const [first, second] of [
      ["d", "b"],
      ["d", "c"],
      ["b", "a"],
      ["c", "a"],
    ] as const)
      before(`-${reverse ? second : first}`, `+${reverse ? first : second}`);
  }
});

test("M83 after a failure nothing more is begun, and it is thrown at the end", async () => {
  const log: string[] = [];
  await assert.rejects(
    alongDependencies(Object.values(services), async ({ name }) => {
      log.push(name);
      await Promise.resolve();
      if (name === "d") throw new Error("no");
    }),
    /no/,
  );
  assert.deepEqual(log.toSorted(), ["d", "e"]);
});

test("M81 the hash counts what a container is made by, and not how many there are or what they wait for", () => {
  const service = { name: "web", image: "x", environment: { A: "1", B: "2" } };
  const hash = containerHash(service, []);
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal(containerHash({ ...service, environment: { B: "2", A: "1" }, scale: 3, profiles: ["p"], ...on("db") }, []), hash);
  assert.equal(
    containerHash({ ...service, deploy: { replicas: 2 } }, []),
    containerHash({ ...service, deploy: { replicas: 3 } }, []),
  );
  assert.equal(containerHash({ ...service, build: { context: "/elsewhere" }, pull_policy: "always" }, []), hash);
  assert.notEqual(containerHash({ ...service, environment: { A: "1" } }, []), hash);
});

test("M70 M81 secrets and configs: files are mounted, others copied with owner and mode, and their text counts", () => {
  const grants = {
    secrets: [{ source: "file" }, { source: "env", target: "/run/secrets/token", uid: "5", mode: 0o400 }],
    configs: [{ source: "text" }, { source: "text", target: "/etc/c" }],
  };
  const of = (value: string) =>
    projectOf(
      { web: grants },
      {
        environment: { TOKEN: value },
        secrets: { file: { name: "file", file: "/s/file" }, env: { name: "env", environment: "TOKEN" } },
        configs: { text: { name: "text", content: "hello" } },
      },
    );
  const files = grantedFiles(of("x"), of("x").services["web"]!);
  assert.deepEqual(files, [
    { kind: "mount", target: "/run/secrets/file", source: "/s/file" },
    { kind: "copy", target: "/run/secrets/token", from: { text: "x" }, uid: 5, gid: 0, mode: 0o400 },
    { kind: "copy", target: "/text", from: { text: "hello" }, uid: 0, gid: 0, mode: 0o444 },
    { kind: "copy", target: "/etc/c", from: { text: "hello" }, uid: 0, gid: 0, mode: 0o444 },
  ]);
  const web = of("x").services["web"]!;
  assert.notEqual(containerHash(web, files), containerHash(web, grantedFiles(of("y"), web)));
  assert.throws(() => grantedFiles({ ...of("x"), environment: {} }, web), {
    message: 'environment variable "TOKEN" required by secret "env" is not set',
  });
  const external = { ...of("x"), secrets: { file: { name: "file", external: true } } };
  assert.throws(() => grantedFiles(external, web), { code: "SERVICE_UNSUPPORTED" });
});
