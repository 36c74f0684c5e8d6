/** Base images and images of one's own in a registry that comes and goes. */
import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { describeOnce } from "../kit/each-way.ts";
import { logOf } from "../kit/progress.ts";
import { startRegistry, type Registry } from "../kit/registry.ts";

describeOnce("registries", (box) => {
  let registry: Registry;
  const name = () => `${registry.host}/team/base:1`;
  const idOf = async (image: string, store: string) =>
    (await box.succeed(["inspect", "-f", "{{.Id}}", image], { store })).stdout.toString().trim();

  before(async () => {
    registry = await startRegistry(box.path("registry"));
    appendFileSync(box.path("varve.toml"), registry.settings);
  });
  after(async () => await registry.stop());

  test("an image that is pushed is the same image where it is pulled, and a base there", async () => {
    const built = await box.build({ Dockerfile: "FROM busybox\nRUN echo pushed > /pushed\n" }, ["-t", name()]);
    assert.equal(built.code, 0, built.stderr);
    await box.succeed(["push", name()]);
    await box.succeed(["pull", name()], { store: "other" });
    assert.equal(await idOf(name(), "other"), await idOf(name(), "store"));
    const child = await box.build({ Dockerfile: `FROM ${name()}\nRUN cat /pushed\n` }, [], { store: "third" });
    assert.deepEqual(logOf(child.stderr, "RUN cat"), ["pushed"], child.stderr);
  });

  test("I01 an image that the registry has not is told with the line, and exit code 5", async () => {
    const missing = `${registry.host}/team/base:missing`;
    const { code, stderr } = await box.build({ Dockerfile: `FROM scratch AS one\nFROM ${missing}\nCOPY --from=one / /\n` });
    assert.equal(code, 5, stderr);
    assert.match(stderr, /^Dockerfile:2$/m);
    assert.match(stderr, /\[REGISTRY_NOT_FOUND\]/);
    assert.equal((await box.varve(["pull", missing])).code, 5);
  });

  test("B24 without its registry a base image is what it was the last time, with a warning; --pull insists", async () => {
    const dockerfile = { Dockerfile: `FROM ${name()}\nRUN cat /pushed; echo offline\n` };
    await registry.stop();
    const offline = await box.build(dockerfile, [], { store: "third" });
    assert.equal(offline.code, 0, offline.stderr);
    assert.deepEqual(logOf(offline.stderr, "RUN cat /pushed; echo"), ["pushed", "offline"]);
    assert.match(offline.stderr, /warning/i);
    assert.match(offline.stderr, /team\/base:1/);
    const insisting = await box.build(dockerfile, ["--pull"], { store: "third" });
    assert.equal(insisting.code, 5, insisting.stderr);
    assert.equal((await box.varve(["pull", name()], { store: "third" })).code, 5);
    const fresh = await box.build(dockerfile, [], { store: "fresh" });
    assert.equal(fresh.code, 5, fresh.stderr);
    assert.match(fresh.stderr, /\[REGISTRY_UNREACHABLE\]/);
  });

  test("a registry that answers with something else is told as one, and nothing of it is kept", async () => {
    const { createServer } = await import("node:http");
    const impostor = createServer((_, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<html>hello</html>"),
    );
    await new Promise<void>((resolve) => impostor.listen(0, "127.0.0.1", resolve));
    const address = impostor.address();
    const host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    appendFileSync(box.path("varve.toml"), `[registry."${host}"]\nhttp = true\n`);
    try {
      const { code, stderr } = await box.build({ Dockerfile: `FROM ${host}/a/b\n` });
      assert.equal(code, 5, stderr);
      assert.match(stderr, /^Dockerfile:1$/m);
      assert.ok(stderr.includes(`${host} answered with text/html, not with a manifest of ${host}/a/b`), stderr);
    } finally {
      impostor.close();
    }
  });

  test("an error in varve.toml is told with its place", async () => {
    writeFileSync(box.path("broken.toml"), '[registry."a"]\nhttp = "perhaps"\n');
    const { code, stderr } = await box.build({ Dockerfile: "FROM busybox\n" }, [], {
      env: { VARVE_CONFIG: box.path("broken.toml") },
    });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /broken\.toml/);
  });
});
