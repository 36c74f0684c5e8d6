/** What a build reads: contexts and Dockerfiles from folders, archives and pipes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { compress, compressors } from "../kit/compress.ts";
import { listArchive, readEntry } from "../kit/archive.ts";
import { describeOnce } from "../kit/each-way.ts";

describeOnce("inputs", (box) => {
  const context = box.write("context", {
    Dockerfile: "FROM scratch\nCOPY a /from-default\n",
    "sub/other": "FROM scratch\nCOPY a /from-other\n",
    a: "a",
    "deep/b": "b",
  });
  const namesOf = async (args: readonly string[], options: { readonly input?: Buffer | string; readonly cwd?: string } = {}) => {
    const { stdout } = await box.succeed(["build", "-o", "-", ...args], options);
    return listArchive(stdout);
  };

  test("X01 B12 the Dockerfile is the context's own, another file, or stdin", async () => {
    assert.deepEqual(await namesOf([context]), ["from-default"]);
    assert.deepEqual(await namesOf(["-f", `${context}/sub/other`, context]), ["from-other"]);
    assert.deepEqual(await namesOf(["-f", "sub/other", "."], { cwd: context }), ["from-other"]);
    assert.deepEqual(await namesOf(["-f", "-", context], { input: "FROM scratch\nCOPY deep /from-stdin/\n" }), [
      "from-stdin/",
      "from-stdin/b",
    ]);
    assert.deepEqual(await namesOf(["-"], { input: "FROM scratch\nCOPY <<EOF /alone\nEOF\n" }), ["alone"]);
    const lower = box.write("lower", { dockerfile: "FROM scratch\nCOPY dockerfile /lower\n" });
    assert.deepEqual(await namesOf([lower]), ["lower"]);
  });

  test("X02 a context is an archive on stdin, plain or compressed", async (t) => {
    const plain = execFileSync("tar", ["-c", "-C", context, "."]);
    assert.deepEqual(await namesOf(["-"], { input: plain }), ["from-default"]);
    for (const name of compressors) {
      await t.test(`X02 by ${name}`, async (inner) => {
        const archive = compress(name, plain);
        if (archive === undefined) return inner.skip(`this machine has no ${name}`);
        assert.deepEqual(await namesOf(["-"], { input: archive }), ["from-default"]);
        assert.deepEqual(await namesOf(["-f", "sub/other", "-"], { input: archive }), ["from-other"]);
      });
    }
    const cut = await box.varve(["build", "-"], { input: plain.subarray(0, 700) });
    assert.equal(cut.code, 2, cut.stderr);
  });

  test("X01 a Dockerfile that is not there, or a context that is none, is told by its path", async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[box.path("home")], /Dockerfile/],
      [["-f", box.path("nowhere"), context], /nowhere/],
      [[box.path("not-there")], /not-there/],
      [[box.path("varve.toml")], /varve\.toml/],
    ];
    for (const [args, words] of cases) {
      const { code, stderr } = await box.varve(["build", ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, words);
    }
  });

  test("B05 A18 build arguments come from flags and from the environment", async () => {
    const build = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
      const input = "FROM scratch\nARG one=default\nARG two=default\nCOPY <<EOF /said\n$one $two\nEOF\n";
      const { stdout } = await box.succeed(["build", "-o", "-", ...args, "-"], { input, env });
      return readEntry(stdout, "said").toString().trim();
    };
    assert.equal(await build([], { one: "environment" }), "default default");
    assert.equal(await build(["--build-arg", "one", "--build-arg", "two=flag"], { one: "environment" }), "environment flag");
    assert.equal(await build(["--build-arg", "one"], {}), "default default");
  });

  test("C04 links of the context lead nowhere outside of it", async () => {
    const linked = box.write("linked", { Dockerfile: "FROM scratch\nCOPY out /out\n", inner: "inner" });
    execFileSync("ln", ["-sfn", "../../../../../../etc/hostname", `${linked}/out`]);
    const climbing = await box.varve(["build", "-o", "-", linked]);
    assert.equal(climbing.code, 1, climbing.stderr);
    execFileSync("ln", ["-sfn", "/inner", `${linked}/out`]);
    assert.equal(readEntry((await box.succeed(["build", "-o", "-", linked])).stdout, "out").toString(), "inner");
  });

  test("X10 a named context may be a URL, whose file is called context", async (t) => {
    const server = createServer((_, response) => response.end("from afar")).listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.conf`;
    const { code, stdout, stderr } = await box.build({ Dockerfile: "FROM scratch\nCOPY --from=conf context /app.conf\n" }, [
      "--build-context",
      `conf=${url}`,
      "-o",
      "-",
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(readEntry(stdout, "app.conf").toString(), "from afar");
  });
});
