/**
 * A hit must equal a build without the cache, byte for byte. One test for each known way in which a cache lies: it is
 * given a chance to, by an edit that is hard to see, and then compared with a store that knows nothing.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { lremovexattr, lsetxattr } from "../../src/sys/index.ts";
import { startGitServer } from "../kit/git-server.ts";
import { startRegistry } from "../kit/registry.ts";
import { assertSame, openTruth, settle, settledSeconds, type Outcome, type Truth } from "../kit/truth.ts";
import { hasProgram, isRoot } from "../kit/ways.ts";

/** Reads a context in every way: whole, by a pattern, by name, through a stage, and mounted. What steps write carries no time of today. */
const everyWay = `
FROM busybox AS all
COPY . /all/
FROM busybox
COPY --from=all /all/ /from/
COPY *.tx[t] /wild/
COPY d /d/
RUN --mount=target=/m cd /m && find . | sort | xargs stat -c '%n %F %a %u %g %s %N' > /listed; find . -type f | sort | xargs md5sum >> /listed; touch -d @0 /listed
`;

describe("a cache that is given a chance to lie", () => {
  let truth: Truth;
  let count = 0;
  before(async () => {
    truth = await openTruth();
  });
  after(async () => await truth[Symbol.asyncDispose]());

  /** A context that was built, so that the store remembers it, and that no other test has. */
  const start = async (
    files: Readonly<Record<string, string>> = {},
    folder = truth.path(`context-${(count += 1)}`),
  ): Promise<{
    at: (...names: string[]) => string;
    build: (text?: string) => Promise<Outcome>;
    again: (text?: string) => Promise<Outcome>;
  }> => {
    for (const [name, content] of Object.entries({ "keep.txt": `keep ${folder}`, "d/f": "f", ...files })) {
      mkdirSync(join(folder, name, ".."), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    settle(folder);
    // what is younger than two seconds is not remembered, and so nothing could be said wrongly of it
    await sleep(2100);
    const context = { kind: "folder", path: folder } as const;
    const build = async (text = everyWay) => {
      settle(folder);
      return await truth.build({ context, text });
    };
    const again = async (text = everyWay) => {
      settle(folder);
      return await truth.compare({ context, text });
    };
    assert.equal((await build()).message, undefined);
    return { at: (...names) => join(folder, ...names), build, again };
  };
  const ranAll = ({ ran }: Outcome) => ran.filter((name) => /\] (COPY|RUN)/.test(name)).length;

  test("nothing changed: nothing runs, and the bytes are the same", async () => {
    const { again } = await start();
    assert.equal(ranAll(await again()), 0);
  });

  test("other bytes of the same size, with the same time", async () => {
    const { at, again } = await start({ "a.txt": "aaaa", "d/g": "gggg" });
    for (const content of ["bbbb", "cccc", "aaaa"]) {
      writeFileSync(at("a.txt"), content);
      writeFileSync(at("d/g"), content);
      assert.notEqual(ranAll(await again()), 0);
    }
  });

  test("a file that is written to while it is read: every build is consistent or says that it is not", async () => {
    const { at, build, again } = await start({ "a.txt": "a".repeat(100_000) });
    let round = 0;
    const timer = setInterval(() => {
      round += 1;
      writeFileSync(at("a.txt"), String(round % 10).repeat(100_000));
      utimesSync(at("a.txt"), settledSeconds, settledSeconds);
    }, 3);
    const codes: (string | undefined)[] = [];
    try {
      for (let i = 0; i < 6; i += 1) codes.push((await build()).code);
    } finally {
      clearInterval(timer);
    }
    assert.deepEqual(
      codes.filter((code) => code !== undefined && code !== "CONTEXT_CHANGED" && code !== "TREE_CHANGED"),
      [],
    );
    await again();
  });

  test("renames under wildcards, and two files that change places", async () => {
    const { at, again } = await start({ "a.txt": "one", "b.txt": "two", "c.md": "three" });
    renameSync(at("a.txt"), at("a2.txt"));
    await again();
    renameSync(at("c.md"), at("c.txt"));
    await again();
    renameSync(at("a2.txt"), at("t"));
    renameSync(at("b.txt"), at("a2.txt"));
    renameSync(at("t"), at("b.txt"));
    await again();
  });

  test("mode only: of a file, of a folder, of one that a stage made", async () => {
    const { at, again } = await start({ "a.txt": "a" });
    chmodSync(at("a.txt"), 0o755);
    await again();
    chmodSync(at("d"), 0o700);
    await again();
    chmodSync(at("a.txt"), 0o4755);
    await again();
    const stage = (mode: string) =>
      `FROM busybox AS s\nRUN echo x > /x && chmod ${mode} /x && touch -d @0 /x\nFROM busybox\nCOPY --from=s /x /x\nRUN stat -c %a /x > /y; touch -d @0 /y`;
    await again(stage("600"));
    await again(stage("606"));
  });

  test("owner only: of a stage's file by name and by number, of COPY --chown, and of the context, where it means nothing", async () => {
    const { at, again } = await start({ "a.txt": "a" });
    const stage = (owner: string) =>
      `FROM busybox AS s\nRUN echo x > /x && chown ${owner} /x && touch -d @0 /x\nFROM busybox\nCOPY --from=s /x /x\nCOPY --chown=${owner} a.txt /a`;
    for (const owner of ["1:2", "2:1", "1:1", "daemon:bin", "0:0"]) await again(stage(owner));
    if (isRoot) chownSync(at("a.txt"), 5, 6);
    assert.equal(ranAll(await again()), 0);
  });

  test("an attribute only", async () => {
    const { at, again } = await start({ "a.txt": "a" });
    for (const value of ["1", "2", undefined]) {
      if (value === undefined) lremovexattr(at("a.txt"), "user.one");
      else lsetxattr(at("a.txt"), "user.one", Buffer.from(value));
      await again();
    }
  });

  test("a hard link: changed by its name outside the context", async () => {
    const { at, again } = await start({ "a.txt": "aaaa" });
    const outside = truth.path(`outside-${(count += 1)}`);
    linkSync(at("a.txt"), outside);
    await again();
    writeFileSync(outside, "bbbb");
    utimesSync(outside, settledSeconds, settledSeconds);
    assert.notEqual(ranAll(await again()), 0);
    unlinkSync(at("a.txt"));
    await again();
  });

  test("a file replaced by a rename, and by a copy that keeps the time", async () => {
    const { at, again } = await start({ "a.txt": "aaaa" });
    writeFileSync(at("new"), "bbbb");
    utimesSync(at("new"), settledSeconds, settledSeconds);
    renameSync(at("new"), at("a.txt"));
    assert.notEqual(ranAll(await again()), 0);
    const other = truth.path(`other-${(count += 1)}`);
    writeFileSync(other, "cccc");
    utimesSync(other, settledSeconds, settledSeconds);
    execFileSync("cp", ["-p", other, at("a.txt")]);
    await again();
    unlinkSync(at("a.txt"));
    execFileSync("mv", [other, at("a.txt")]);
    await again();
  });

  test("a file removed and restored: as it was, with other bytes, and as another kind of thing", async () => {
    const { at, again } = await start({ "a.txt": "aaaa" });
    unlinkSync(at("a.txt"));
    await again();
    writeFileSync(at("a.txt"), "aaaa");
    await again();
    unlinkSync(at("a.txt"));
    writeFileSync(at("a.txt"), "bbbb");
    await again();
    unlinkSync(at("a.txt"));
    mkdirSync(at("a.txt"));
    await again();
    rmSync(at("a.txt"), { recursive: true });
    symlinkSync("keep", at("a.txt"));
    await again(everyWay.replace("COPY *.tx[t] /wild/", "COPY keep.tx[t] /wild/"));
  });

  test("a link with another target of the same length, a folder that becomes a link to its twin, a link that becomes a file", async () => {
    const text = everyWay.replace("COPY *.tx[t] /wild/", "COPY keep.tx[t] link e /wild/");
    const { at, again } = await start({ "e/x": "x", "twin/x": "x", f1: "one", f2: "two" });
    symlinkSync("f1", at("link"));
    lutimesSync(at("link"), settledSeconds, settledSeconds);
    await again(text);
    unlinkSync(at("link"));
    symlinkSync("f2", at("link"));
    assert.notEqual(ranAll(await again(text)), 0);
    renameSync(at("e"), at("old"));
    symlinkSync("twin", at("e"));
    await again(text);
    writeFileSync(at("twin/x"), "y");
    await again(text);
    unlinkSync(at("e"));
    renameSync(at("old"), at("e"));
    await again(text);
    unlinkSync(at("link"));
    writeFileSync(at("link"), "two");
    await again(text);
  });

  test("an empty folder, a folder that gets empty, a file in a folder below a folder", async () => {
    const { at, again } = await start({ "d/e/g": "g" });
    mkdirSync(at("d/empty"));
    await again();
    unlinkSync(at("d/e/g"));
    await again();
    writeFileSync(at("d/e/h"), "h");
    await again();
    writeFileSync(at("d/e/h"), "i");
    await again();
  });

  test("the clock goes backwards: times in the future and in the past", async () => {
    const { at } = await start({ "a.txt": "aaaa" });
    const context = { kind: "folder", path: at() } as const;
    const future = Date.now() / 1000 + 86_400;
    for (const [content, time] of [
      ["bbbb", future],
      ["cccc", future],
      ["dddd", 0],
      ["eeee", -1000],
      ["ffff", future - 90_000],
    ] as const) {
      settle(at());
      writeFileSync(at("a.txt"), content);
      utimesSync(at("a.txt"), time, time);
      await truth.compare({ context, text: everyWay });
    }
  });

  test("two contexts under one path, one after the other and back", async () => {
    const { at, again } = await start({ "a.txt": "aaaa", "d/g": "g" });
    const other = await start({ "a.txt": "bbbb", "d/g": "h" });
    const aside = truth.path(`aside-${(count += 1)}`);
    for (let round = 0; round < 2; round += 1) {
      renameSync(at(), aside);
      renameSync(other.at(), at());
      renameSync(aside, other.at());
      await again();
    }
    rmSync(at(), { recursive: true });
    execFileSync("cp", ["-a", other.at(), at()]);
    await again();
  });

  test(
    "the context on a tmpfs and on an overlay: inodes that are used again, files that are copied up",
    { skip: isRoot ? false : "only root mounts" },
    async () => {
      const tmpfs = mkdtempSync(truth.path("tmpfs-"));
      const mounts: string[] = [];
      const mount = (...args: string[]) => {
        execFileSync("mount", args);
        mounts.push(args.at(-1) ?? "");
      };
      try {
        mount("-t", "tmpfs", "tmpfs", tmpfs);
        const { at, again } = await start({ "a.txt": "aaaa" }, join(tmpfs, "context"));
        for (const content of ["bbbb", "cccc", "dddd"]) {
          unlinkSync(at("a.txt"));
          writeFileSync(at("a.txt"), content);
          assert.notEqual(ranAll(await again()), 0);
        }
        for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(join(tmpfs, name));
        writeFileSync(join(tmpfs, "lower/a.txt"), "low1");
        settle(join(tmpfs, "lower"));
        mount(
          "-t",
          "overlay",
          "overlay",
          "-o",
          ["lower", "upper", "work"].map((name) => `${name}dir=${join(tmpfs, name)}`).join(),
          join(tmpfs, "merged"),
        );
        const layered = await start({}, join(tmpfs, "merged"));
        writeFileSync(layered.at("a.txt"), "low2");
        await layered.again();
        unlinkSync(layered.at("a.txt"));
        await layered.again();
        writeFileSync(layered.at("a.txt"), "low1");
        await layered.again();
        // the same path again, on a file system with the same device number perhaps
        execFileSync("umount", [mounts.pop() ?? ""]);
        writeFileSync(join(tmpfs, "upper/a.txt"), "low3");
        mount(
          "-t",
          "overlay",
          "overlay",
          "-o",
          ["lower", "upper", "work"].map((name) => `${name}dir=${join(tmpfs, name)}`).join(),
          join(tmpfs, "merged"),
        );
        await layered.again();
      } finally {
        for (const path of mounts.reverse()) execFileSync("umount", [path]);
      }
    },
  );

  test(
    "another file system under the same path, with the same inodes",
    { skip: isRoot ? false : "only root mounts" },
    async () => {
      const place = mkdtempSync(truth.path("place-"));
      // what lies under the mounts, which the worker saw when it started
      await (await start({ "a.txt": "under" }, join(place, "c"))).again();
      for (const content of ["aaaa", "bbbb"]) {
        execFileSync("mount", ["-t", "tmpfs", "tmpfs", place]);
        try {
          const { again } = await start({ "a.txt": content }, join(place, "c"));
          await again();
        } finally {
          execFileSync("umount", [place]);
        }
      }
    },
  );

  test("the ignore file: rules that come and go, exceptions, and a file behind one that changes", async () => {
    const { at, again } = await start({ "a.txt": "a", "d/x.log": "x", "d/y": "y" });
    for (const rules of ["a.txt", "**/*.log", "**/*.log\n!d/x.log", "d", "d\n!d/y", "", "# nothing"]) {
      writeFileSync(at(".dockerignore"), rules);
      const text = rules === "d" ? everyWay.replace("COPY d /d/", "") : everyWay;
      await again(text);
    }
    writeFileSync(at(".dockerignore"), "a.txt");
    await again();
    writeFileSync(at("a.txt"), "hidden");
    assert.equal(ranAll(await again()), 0);
    unlinkSync(at(".dockerignore"));
    assert.notEqual(ranAll(await again()), 0);
  });

  test("an ARG that is used through ENV only, and one that is only there", async () => {
    const { at } = await start();
    const context = { kind: "folder", path: at() } as const;
    const texts = [
      "FROM busybox\nARG X=0\nENV Y=$X\nRUN echo $Y > /y; touch -d @0 /y",
      "FROM busybox\nARG X=0\nRUN env | grep ^X > /y; touch -d @0 /y",
      "ARG X=0\nFROM busybox\nARG X\nLABEL x=$X\nWORKDIR /w$X\nRUN pwd > /y; touch -d @0 /y",
      "ARG X=0\nFROM busybox AS s0\nENV who=s0\nFROM busybox AS s1\nENV who=s1\nFROM s$X\nRUN echo $who > /y; touch -d @0 /y",
    ];
    for (const text of texts) {
      for (const X of ["1", "0", "1"]) await truth.compare({ context, text, buildArgs: { X } });
      if (!text.includes("s$X")) await truth.compare({ context, text });
    }
  });

  test("ONBUILD, HEALTHCHECK and other lines that make only a config", async () => {
    const { again } = await start({ "a.txt": "a", "b.txt": "b" });
    const run = "RUN cat /got > /y; touch -d @0 /y";
    for (const line of ["ONBUILD COPY a.txt /got", "ONBUILD COPY b.txt /got", "ONBUILD RUN echo c > /got; touch -d @0 /got"])
      await again(`FROM busybox AS base\n${line}\nFROM base\n${run}`);
    for (const line of [
      "HEALTHCHECK CMD true",
      "HEALTHCHECK --interval=5s CMD true",
      "HEALTHCHECK NONE",
      "ONBUILD RUN true",
      "EXPOSE 80",
      "EXPOSE 81",
      "VOLUME /a",
      "USER 1",
      "STOPSIGNAL 9",
      'SHELL ["/bin/sh", "-ec"]',
      "CMD a",
      "ENTRYPOINT a",
      "LABEL a=b",
      "MAINTAINER me",
    ])
      await again(`FROM busybox\nRUN echo > /y; touch -d @0 /y\n${line}`);
    for (const shell of ['SHELL ["/bin/sh", "-c"]', 'SHELL ["/bin/sh", "-xc"]'])
      await again(`FROM busybox\n${shell}\nRUN echo $- > /y; touch -d @0 /y`);
  });

  test("a changed secret keeps the result, as in BuildKit: the key has its id only. Another id, or none, does not", async () => {
    const { at } = await start();
    const context = { kind: "folder", path: at() } as const;
    const text = "FROM busybox\nRUN --mount=type=secret,id=s cat /run/secrets/s > /y; touch -d @0 /y";
    const first = await truth.compare({ context, text, secrets: { s: "one" } });
    const kept = await truth.build({ context, text, secrets: { s: "two" } });
    assert.equal(ranAll(kept), 0);
    assertSame(kept, first);
    const other = text.replaceAll("id=s", "id=t,target=/run/secrets/s");
    await truth.compare({ context, text: other, secrets: { t: "two" } });
    await truth.compare({ context, text: text.replace("id=s ", "id=s,required=false,mode=0444 "), secrets: { s: "two" } });
  });

  test(
    "a moved base tag is seen at once, with --pull and without: every build asks the registry for what it has",
    { skip: hasProgram("docker-registry") ? false : "no docker-registry" },
    async () => {
      const registry = await startRegistry(truth.path("registry"));
      const settings = truth.path("registry.toml");
      const own = process.env["VARVE_CONFIG"];
      if (own !== undefined) copyFileSync(own, settings);
      writeFileSync(settings, registry.settings, { flag: "a" });
      const name = `${registry.host}/base:moving`;
      try {
        await using other = await openTruth(["busybox"], settings);
        const { at } = await start();
        const context = { kind: "folder", path: at() } as const;
        for (const version of ["one", "two", "one"]) {
          const { openVarve } = await import("../../src/engine/index.ts");
          await using pusher = openVarve({ root: truth.path("pusher"), configPath: settings, path: process.env["PATH"] ?? "" });
          await pusher.build({
            context,
            dockerfile: { text: `FROM busybox\nENV V=${version}\nRUN echo ${version} > /v` },
            tags: [name],
          });
          await pusher.images.push(name);
          const text = `FROM ${name}\nRUN cat /v > /y; echo $V >> /y; touch -d @0 /y`;
          await other.compare({ context, text });
          await other.compare({ context, text, pull: true });
        }
      } finally {
        await registry.stop();
      }
    },
  );

  test("a branch that moved, and one that moved back", async () => {
    await using server = await startGitServer();
    const repository = server.create("moving");
    const { at } = await start();
    const context = { kind: "folder", path: at() } as const;
    for (const content of ["one", "two", "one"]) {
      writeFileSync(join(repository.work, "f"), content);
      repository.commit();
      for (const ref of ["", "#main"])
        await truth.compare({
          context,
          text: `FROM busybox\nADD ${repository.url}${ref} /repo/\nRUN md5sum /repo/f > /y; touch -d @0 /y`,
        });
    }
  });

  test("a URL whose body changed: without ETag, with a new one, and when it is the same the server is believed", async () => {
    const served = { body: "one", etag: undefined as string | undefined, stubborn: false };
    const server = createServer((request, response) => {
      const known = request.headers["if-none-match"];
      if (served.stubborn && known !== undefined && known === served.etag) return void response.writeHead(304).end();
      response.writeHead(200, {
        "last-modified": new Date(settledSeconds * 1000).toUTCString(),
        ...(served.etag === undefined ? {} : { etag: served.etag }),
      });
      response.end(served.body);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
    const { at } = await start();
    const context = { kind: "folder", path: at() } as const;
    const text = `FROM busybox\nADD ${url} /file\nRUN md5sum /file > /y; touch -d @0 /y`;
    try {
      for (const [body, etag] of [
        ["one", undefined],
        ["two", undefined],
        ["one", '"1"'],
        ["two", '"2"'],
      ] as const) {
        Object.assign(served, { body, etag });
        await truth.compare({ context, text });
      }
      // as in BuildKit: an ETag that is the same stands for the same body, whether the answer has one or not
      for (const stubborn of [false, true]) {
        Object.assign(served, { body: "six", stubborn });
        assert.equal(ranAll(await truth.build({ context, text })), 0);
      }
    } finally {
      server.close();
    }
  });

  test("what a stage made: another file behind a mount, behind a link, a file that a later step removed", async () => {
    const { again } = await start();
    const text = (content: string, target: string) => `
FROM busybox AS s
RUN mkdir /one /two && echo ${content} > /one/f && echo same > /two/f && ln -s ${target} /link && find /one /two /link -exec touch -h -d @0 {} +
FROM busybox
RUN --mount=from=s,source=/link,target=/m cat /m/f > /y; touch -d @0 /y
COPY --from=s /link/f /copied
RUN rm /copied
`;
    for (const [content, target] of [
      ["a", "one"],
      ["b", "one"],
      ["b", "two"],
      ["a", "two"],
      ["same", "one"],
    ] as const)
      await again(text(content, target));
  });

  test("a result that --no-cache replaced: what was made of the old one is not taken", async () => {
    const { at } = await start();
    const context = { kind: "folder", path: at() } as const;
    const text =
      "FROM busybox AS s\nRUN cat /proc/sys/kernel/random/uuid > /id; touch -d @0 /id\nFROM busybox\nCOPY --from=s /id /id\nRUN cat /id > /y; touch -d @0 /y";
    const first = await truth.build({ context, text });
    const replaced = await truth.build({ context, text, noCache: true });
    assert.notDeepEqual(first.archive, replaced.archive);
    assertSame(await truth.build({ context, text }), replaced);
    const partly = await truth.build({ context, text, noCache: ["s"] });
    assertSame(await truth.build({ context, text }), partly);
  });

  test("the device and the inode of what is remembered are those of the file, not of its name", async () => {
    const { at, again } = await start({ "a.txt": "aaaa", "b.txt": "bbbb" });
    const { ino } = statSync(at("a.txt"));
    // a file that gets the inode of another that is gone
    for (let tries = 0; tries < 50; tries += 1) {
      unlinkSync(at("a.txt"));
      writeFileSync(at("a.txt"), "cccc");
      if (statSync(at("a.txt")).ino === ino) break;
    }
    await again();
  });
});
