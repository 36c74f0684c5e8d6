import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { openTrial, stepsOf } from "../kit/trial.ts";

test("B31 B16 B13 an image gets its names, its ID and its metadata in files", async (t) => {
  const { varve, context } = openTrial(t, { Dockerfile: "FROM scratch\nCOPY hello.txt /\nLABEL a=b\n", "hello.txt": "hi\n" });
  const built = await varve("build", "-t", "one:1", "-t", "two", "--iidfile", "iid", "--metadata-file", "meta.json", ".");
  assert.equal(built.code, 0, built.stderr);
  const id = readFileSync(join(context, "iid"), "utf8");
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  const metadata = JSON.parse(readFileSync(join(context, "meta.json"), "utf8")) as Record<string, unknown>;
  assert.equal(metadata["containerimage.config.digest"], id);
  assert.equal(metadata["image.name"], "docker.io/library/one:1,docker.io/library/two:latest");
  const [image] = JSON.parse((await varve("inspect", "two")).stdout.toString()) as { Id: string; RepoTags: string[]; Config: { Labels: object } }[];
  assert.deepEqual([image?.Id, image?.RepoTags, image?.Config.Labels], [id, ["one:1", "two:latest"], { a: "b" }]);
});

test("B26 quiet prints the image ID and nothing else", async (t) => {
  const { varve } = openTrial(t, { Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
  const { code, stdout, stderr } = await varve("build", "-q", ".");
  assert.equal(code, 0, stderr);
  assert.match(stdout.toString(), /^sha256:[0-9a-f]{64}\n$/);
  assert.equal(stderr, "");
});

test("R10 a command has the image's environment, user, groups, folder, hosts and name servers", async (t) => {
  const { varve, context } = openTrial(t, {
    Dockerfile: `FROM busybox AS run
RUN echo 'app:x:1234:1234::/home/app:/bin/sh' >>/etc/passwd && echo 'app:x:1234:' >>/etc/group && echo 'extra:x:77:app' >>/etc/group
ENV COLOUR=blue
ARG SIZE=big
USER app
WORKDIR /work/here
RUN mkdir /tmp/out && cd /work/here && pwd >/tmp/out/cwd && id >/tmp/out/id && env | sort >/tmp/out/env && hostname >/tmp/out/host && cat /etc/resolv.conf >/tmp/out/resolv && cat /etc/hosts >/tmp/out/hosts && grep Cap /proc/self/status >/tmp/out/caps
FROM scratch
COPY --from=run /tmp/out /
`,
  });
  const { code, stderr } = await varve("build", "--add-host", "db:10.1.2.3", "-o", "out", ".");
  assert.equal(code, 0, stderr);
  const read = (name: string) => readFileSync(join(context, "out", name), "utf8");
  assert.equal(read("cwd"), "/work/here\n");
  assert.match(read("id"), /^uid=1234\(app\) gid=1234\(app\) groups=77\(extra\),1234\(app\)$|^uid=1234\(app\) gid=1234\(app\) groups=1234\(app\),77\(extra\)$/m);
  assert.match(read("env"), /^COLOUR=blue\nHOME=\/home\/app\nHOSTNAME=|^COLOUR=blue\nHOME=\/home\/app\n/m);
  assert.match(read("env"), /^SIZE=big$/m);
  assert.equal(read("host"), "buildkitsandbox\n");
  assert.match(read("resolv"), /^nameserver /m);
  assert.match(read("hosts"), /^10\.1\.2\.3\s+db$/m);
  assert.match(read("caps"), /^CapInh:\t0+$/m);
});

test("R02 a cache mount keeps its files from build to build and out of the layer; R01 a bind mount shows the context without ignored files", async (t) => {
  const dockerfile = (n: number) =>
    `FROM busybox AS run\nRUN --mount=type=cache,target=/cache --mount=type=bind,target=/ctx --mount=type=tmpfs,target=/fast ls /ctx >/seen && touch /cache/${n} /fast/x && ls /cache >/kept\nFROM scratch\nCOPY --from=run /seen /kept /\nCOPY --from=run /cach[e] /cache/\n`;
  const trial = openTrial(t, { Dockerfile: dockerfile(1), ".dockerignore": "*.log\n", "a.txt": "a", "b.log": "b" });
  assert.equal((await trial.varve("build", "-o", "out1", ".")).code, 0);
  trial.write({ Dockerfile: dockerfile(2) });
  const second = await trial.varve("build", "-o", "out2", ".");
  assert.equal(second.code, 0, second.stderr);
  const read = (name: string) => readFileSync(join(trial.context, name), "utf8");
  assert.deepEqual(read("out1/seen").split("\n"), [".dockerignore", "Dockerfile", "a.txt", ""].filter((name) => name !== ".dockerignore"));
  assert.equal(read("out2/kept"), "1\n2\n");
  assert.deepEqual(readdirSync(join(trial.context, "out2")).sort(), ["kept", "seen"], "R11 the mount point itself is not in the layer");
});

test("L57 only the steps that read a changed file run again, and a file that nothing reads changes nothing", async (t) => {
  const trial = openTrial(t, {
    Dockerfile: `FROM busybox AS a
COPY a.txt /
RUN cat /a.txt >/out-a
FROM busybox AS b
COPY b.txt /
RUN cat /b.txt >/out-b
FROM scratch
COPY --from=a /out-a /
COPY --from=b /out-b /
`,
    "a.txt": "a",
    "b.txt": "b",
    "notes.txt": "n",
  });
  assert.equal((await trial.varve("build", "--progress=plain", ".")).code, 0);
  trial.write({ "notes.txt": "other" });
  const unread = stepsOf((await trial.varve("build", "--progress=plain", ".")).stderr);
  assert.deepEqual(unread.ran, []);
  assert.equal(unread.cached.length, 7);
  trial.write({ "b.txt": "changed" });
  const { ran } = stepsOf((await trial.varve("build", "--progress=plain", ".")).stderr);
  assert.deepEqual(ran, ["[b 2/3] COPY b.txt /", "[b 3/3] RUN cat /b.txt >/out-b", "[stage-2 2/2] COPY --from=b /out-b /"]);
});

test("S01 stages that the target does not need are not touched", async (t) => {
  const { varve } = openTrial(t, { Dockerfile: "FROM busybox AS broken\nRUN exit 1\nFROM no.such.registry/image AS missing\nFROM scratch AS good\nCOPY Dockerfile /\n" });
  const { code, stderr } = await varve("build", "--target=good", ".");
  assert.equal(code, 0, stderr);
});

test("independent stages run at the same time", async (t) => {
  const stages = Array.from({ length: 8 }, (_, i) => `FROM busybox AS s${i}\nRUN cut -d' ' -f1 /proc/uptime >/begin && sleep 1 && cut -d' ' -f1 /proc/uptime >/end && mkdir /o && cp /begin /o/begin${i} && cp /end /o/end${i}\n`);
  const { varve, context } = openTrial(t, {
    Dockerfile: `${stages.join("")}FROM scratch\n${stages.map((_, i) => `COPY --from=s${i} /o /\n`).join("")}`,
  });
  const { code, stderr } = await varve("build", "-o", "out", ".");
  assert.equal(code, 0, stderr);
  const times = (name: string) => stages.map((_, i) => Number(readFileSync(join(context, "out", `${name}${i}`), "utf8")));
  assert.ok(Math.max(...times("begin")) < Math.min(...times("end")), "the last step began before the first one ended");
});

test("two builds at once in one store both succeed", async (t) => {
  const { varve } = openTrial(t, { Dockerfile: "FROM busybox\nARG N\nRUN echo $N >/n && sleep 0.3\n" });
  const outcomes = await Promise.all([1, 2, 1, 2, 3, 4].map((n) => varve("build", "-q", "--build-arg", `N=${n}`, ".")));
  for (const { code, stderr } of outcomes) assert.equal(code, 0, stderr);
});

test("R07 --network=none leaves a step only the loopback interface", async (t) => {
  const { varve, context } = openTrial(t, { Dockerfile: "FROM busybox AS run\nRUN --network=none ls /sys/class/net >/net || cat /proc/net/dev >/net\nFROM scratch\nCOPY --from=run /net /\n" });
  const { code, stderr } = await varve("build", "-o", "out", ".");
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(join(context, "out/net"), "utf8").trim(), "lo");
});

test("X02 a Dockerfile or a whole context may come on stdin", async (t) => {
  const trial = openTrial(t, { "x.txt": "x" });
  const text = await trial.feed("FROM scratch\nCOPY x.txt /\n", "build", "-q", "-f", "-", ".");
  assert.equal(text.code, 0, text.stderr);
  const empty = await trial.feed("FROM busybox\nRUN true\n", "build", "-q", "-");
  assert.equal(empty.code, 0, empty.stderr);
});

test("X10 a named context may be a URL, whose file is called context", async (t) => {
  const server = createServer((_, response) => response.end("from afar\n")).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const trial = openTrial(t, { Dockerfile: "FROM scratch\nCOPY --from=conf context /app.conf\n" });
  const { code, stderr } = await trial.varve("build", "--build-context", `conf=http://127.0.0.1:${port}/x.conf`, "-o", "out", ".");
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(join(trial.context, "out/app.conf"), "utf8"), "from afar\n");
});

test("an image built here is a base image for the next build", async (t) => {
  const trial = openTrial(t, { Dockerfile: "FROM scratch\nCOPY Dockerfile /one\nENV A=1\n", "Second.Dockerfile": "FROM first\nCOPY Dockerfile /two\n" });
  assert.equal((await trial.varve("build", "-q", "-t", "first", ".")).code, 0);
  const second = await trial.varve("build", "-f", "Second.Dockerfile", "-o", "out", "-t", "second", ".");
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual(readdirSync(join(trial.context, "out")).sort(), ["one", "two"]);
});

test("O04 tag, images, rmi, save and load keep an image through a round trip", async (t) => {
  const trial = openTrial(t, { Dockerfile: "FROM busybox\nCOPY Dockerfile /d\n" });
  const { stdout } = await trial.varve("build", "-q", "-t", "trip:1", ".");
  const id = stdout.toString().trim();
  assert.equal((await trial.varve("tag", "trip:1", "trip:2")).code, 0);
  assert.equal((await trial.varve("save", "-o", "trip.tar", "trip:1", "trip:2")).code, 0);
  assert.match((await trial.varve("rmi", "trip:1", "trip:2")).stdout.toString(), /Untagged: trip:1\nUntagged: trip:2\nDeleted: sha256:/);
  assert.equal((await trial.varve("inspect", "trip:1")).code, 1);
  const loaded = await trial.varve("load", "-i", "trip.tar");
  assert.equal(loaded.stdout.toString(), "Loaded image: trip:1\nLoaded image: trip:2\n");
  assert.equal((await trial.varve("inspect", "--format", "{{.Id}}", "trip:2")).stdout.toString().trim(), id);
});

test("B19 files of a result go to a folder, merged with what is there", async (t) => {
  const { varve, context } = openTrial(t, { Dockerfile: "FROM scratch\nCOPY --chmod=750 Dockerfile /bin/tool\n" });
  mkdirSync(join(context, "out"));
  const { code, stderr } = await varve("build", "-o", "out", ".");
  assert.equal(code, 0, stderr);
  assert.equal(statSync(join(context, "out/bin/tool")).mode & 0o777, 0o750);
});
