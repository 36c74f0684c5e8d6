/** `RUN --mount` of every kind, and that no mount leads to a file of the host. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listArchive, readOciArchive } from "../kit/archive.ts";
import { describeEachWay } from "../kit/each-way.ts";
import { logOf, stepsRun } from "../kit/progress.ts";
import type { Sandbox } from "../kit/sandbox.ts";

function createBuild(box: Sandbox) {
  return async (lines: readonly string[], args: readonly string[] = [], files: Readonly<Record<string, string>> = {}) => {
    const result = await box.build({ Dockerfile: lines.join("\n"), ...files }, args);
    assert.equal(result.code, 0, result.stderr);
    return result;
  };
}

describeEachWay("mounts", (box) => {
  const build = createBuild(box);

  test("R01 CVE-2025-4953 a bind mount is read-only, or its changes go nowhere: not into the context, the stage or the image", async () => {
    const context = box.write("bound", {
      "f.txt": "f",
      "d/g.txt": "g",
      Dockerfile: [
        "FROM busybox AS s",
        "RUN mkdir /src && echo s > /src/f",
        "FROM busybox",
        "RUN --mount=target=/m touch /m/x 2>&1 || echo refused # ro",
        "RUN --mount=target=/m,rw echo x > /m/x && rm /m/f.txt && echo y > /m/d/g.txt && chmod 600 /m/d && ls -R /m # rw",
        "RUN --mount=target=/m ls /m && cat /m/d/g.txt # again",
        "RUN --mount=from=s,source=/src,target=/m,rw echo x > /m/f && cat /m/f # stage",
        "RUN --mount=from=s,source=/src,target=/m cat /m/f # unchanged",
        "RUN ls -d /m || true # gone",
      ].join("\n"),
    });
    const { code, stderr } = await box.varve(["build", "--progress=plain", context]);
    assert.equal(code, 0, stderr);
    assert.match(logOf(stderr, "# ro").join("\n"), /Read-only file system\nrefused/);
    assert.deepEqual(
      logOf(stderr, "# rw").filter((line) => line !== ""),
      ["/m:", "Dockerfile", "d", "x", "/m/d:", "g.txt"],
    );
    assert.deepEqual(logOf(stderr, "# again"), ["Dockerfile", "d", "f.txt", "g"]);
    assert.deepEqual([...logOf(stderr, "# stage"), ...logOf(stderr, "# unchanged")], ["x", "s"]);
    assert.match(logOf(stderr, "# gone").join(""), /No such file/);
    assert.deepEqual(
      [readdirSync(context).sort(), readFileSync(join(context, "d/g.txt"), "utf8")],
      [["Dockerfile", "d", "f.txt"], "g"],
    );
  });

  test("R01 R11 mounts over files that exist, below missing folders, relative to WORKDIR; nothing of their places is left", async () => {
    const { stdout, stderr } = await build(
      [
        "FROM busybox",
        "WORKDIR /w/x",
        "RUN --mount=source=f.txt,target=/etc/passwd cat /etc/passwd # over",
        "RUN --mount=source=f.txt,target=/no/such/place/f --mount=type=tmpfs,target=/no/such/t --mount=type=cache,target=/no/cache cat /no/such/place/f # below",
        "RUN --mount=target=rel ls rel; pwd # relative",
        "RUN --mount=type=tmpfs,target=/w touch /w/y; pwd # cwd",
        "RUN touch /last",
      ],
      ["-o", "type=oci,dest=-"],
      { "f.txt": "content" },
    );
    assert.deepEqual(logOf(stderr, "# over"), ["content"]);
    assert.deepEqual(logOf(stderr, "# below"), ["content"]);
    assert.deepEqual(logOf(stderr, "# relative"), ["Dockerfile", "f.txt", "/w/x"]);
    assert.deepEqual(logOf(stderr, "# cwd"), ["/w/x"]);
    const { layers } = readOciArchive(stdout);
    assert.deepEqual(
      layers.slice(-6).map((layer) => listArchive(layer)),
      [["w/", "w/x/"], [], [], [], [], ["last"]],
    );
  });

  test("R02 A09 a cache keeps what is written, is no part of the layer, and has a name, an owner, a mode and a beginning", async () => {
    const lines = (number: number) => [
      "FROM busybox AS seed",
      "RUN mkdir -p /seed/sub && echo 1 > /seed/f && echo 2 > /seed/sub/g && chmod 700 /seed && chown 5:6 /seed",
      "FROM busybox",
      `RUN --mount=type=cache,id=plain,target=/c echo ${number} >> /c/n; cat /c/n # plain`,
      `RUN --mount=type=cache,target=/c ls -A /c; touch /c/${number} # target`,
      `RUN --mount=type=cache,id=owned,target=/c,uid=7,gid=8,mode=0770 stat -c '%a %u:%g' /c; touch /c/${number} # owned`,
      `RUN --mount=type=cache,id=seeded,from=seed,source=/seed,target=/c stat -c '%a %u:%g' /c; ls /c; touch /c/new${number} # seeded`,
      `RUN --mount=type=cache,id=seeded,from=seed,source=/seed/sub,target=/c ls /c; echo ${number} # sub`,
      `RUN --mount=type=cache,id=plain,target=/c,ro touch /c/x 2>&1 || echo refused ${number} # ro`,
      "RUN ls -d /c || true # none",
    ];
    const { stderr: first } = await build(lines(1));
    const { stderr: second } = await build(lines(2));
    assert.deepEqual([logOf(first, "# plain"), logOf(second, "# plain")], [["1"], ["1", "2"]]);
    assert.deepEqual([logOf(first, "# target"), logOf(second, "# target")], [[], ["1"]]);
    assert.deepEqual([logOf(first, "# owned"), logOf(second, "# owned")], [["770 7:8"], ["770 7:8"]]);
    assert.deepEqual(
      [logOf(first, "# seeded"), logOf(second, "# seeded")],
      [
        ["700 5:6", "f", "sub"],
        ["700 5:6", "f", "new1", "sub"],
      ],
    );
    assert.deepEqual(logOf(second, "# sub"), ["g", "2"]);
    assert.match(logOf(first, "# ro").join("\n"), /Read-only file system\nrefused/);
    assert.match(logOf(first, "# none").join(""), /No such file/);
    const namespaced = await build(
      ["FROM busybox", "RUN --mount=type=cache,id=plain,target=/c ls -A /c; echo end # ns"],
      ["--build-arg", "BUILDKIT_CACHE_MOUNT_NS=other"],
    );
    assert.deepEqual(logOf(namespaced.stderr, "# ns"), ["end"]);
  });

  test("R02 locked caches are one at a time, private ones apart, shared ones together; one step may mount a cache twice", async () => {
    const stage = (name: string, sharing: string) =>
      `FROM busybox AS ${name}\nRUN --mount=type=cache,id=${sharing},sharing=${sharing},target=/c mkdir /c/busy 2>/dev/null && echo alone || echo together; sleep 1; rmdir /c/busy; ls /c; true # ${name}`;
    const stages = ["locked", "private", "shared"].flatMap((sharing) => [
      stage(`${sharing}1`, sharing),
      stage(`${sharing}2`, sharing),
    ]);
    const copies = stages.map((_, index) => `COPY --from=${index} /bin/true /${index}`);
    const { stderr } = await build([...stages, "FROM busybox", ...copies]);
    const said = (sharing: string) =>
      [`${sharing}1`, `${sharing}2`]
        .map((name) => logOf(stderr, `# ${name}`).find((line) => !line.startsWith("waiting for")) ?? "")
        .toSorted((one, other) => one.localeCompare(other));
    assert.deepEqual(
      [said("locked"), said("private")],
      [
        ["alone", "alone"],
        ["alone", "alone"],
      ],
    );
    assert.ok(said("shared").includes("alone"));
    const twice = await build([
      "FROM busybox",
      "RUN --mount=type=cache,id=t,sharing=locked,target=/a --mount=type=cache,id=t,sharing=locked,target=/b touch /a/x; ls /b # twice",
    ]);
    assert.deepEqual(logOf(twice.stderr, "# twice"), ["x"]);
  });

  test("R03 a tmpfs is empty, has its size, and is gone afterwards", async () => {
    const { stderr } = await build([
      "FROM busybox",
      "RUN --mount=type=tmpfs,target=/t,size=1m dd if=/dev/zero of=/t/f bs=64k count=32 2>/dev/null || stat -c %s /t/f # size",
      "RUN --mount=type=tmpfs,target=/bin/inner ls -A /bin/inner; touch /bin/inner/x # empty",
      "RUN ls -d /t /bin/inner || true # gone",
    ]);
    assert.deepEqual(logOf(stderr, "# size"), ["1048576"]);
    assert.deepEqual(logOf(stderr, "# empty"), []);
    assert.equal(logOf(stderr, "# gone").length, 2);
  });

  test("R01 R02 a source that is not there fails the step at its place", async () => {
    for (const [mount, message] of [
      ["source=nope,target=/m", /"\/nope": not found \[TREE_NOT_FOUND\]/],
      ["from=s,source=nope,target=/m", /the source \/nope of a mount is not there \[MOUNT_SOURCE\]/],
      ["type=cache,source=/nope,target=/m", /the source \/nope of a cache mount is not there \[MOUNT_SOURCE\]/],
    ] as const) {
      const { code, stderr } = await box.build({ Dockerfile: `FROM busybox AS s\nFROM busybox\nRUN --mount=${mount} true` });
      assert.equal(code, 1, mount);
      assert.match(stderr, message);
      assert.match(stderr, /3 \| >>> RUN/);
    }
  });

  test("L51 the name and the sharing of a cache are not part of a step's key, its place is", async () => {
    const run = async (mount: string) => {
      const { stderr } = await build(["FROM busybox", `RUN --mount=type=cache,${mount} date > /keyed`]);
      return stepsRun(stderr).length;
    };
    assert.deepEqual(
      [
        await run("id=k1,target=/k"),
        await run("id=k2,target=/k"),
        await run("id=k2,sharing=locked,target=/k"),
        await run("id=k2,target=/other"),
      ],
      [1, 0, 0, 1],
    );
  });
});

describeEachWay("hostile mounts", (box) => {
  const build = createBuild(box);
  const outside = () => {
    const folder = box.path("outside");
    if (!existsSync(folder)) mkdirSync(folder);
    writeFileSync(join(folder, "canary"), "canary");
    return folder;
  };
  const untouched = () =>
    assert.deepEqual(
      [readdirSync(box.path("outside")), readFileSync(box.path("outside/canary"), "utf8")],
      [["canary"], "canary"],
    );

  test("CVE-2024-1753 a source that is a link to / shows the root it lies in, never the host's", async () => {
    const folder = outside();
    const { stderr } = await build([
      "FROM busybox AS evil",
      `RUN ln -s / /link && ln -s ../../../../../../.. /up && ln -s ${folder} /abs && echo mine > /marker`,
      "FROM busybox",
      "RUN --mount=from=evil,source=/link,target=/m,rw cat /m/marker; ls -d /m/tmp/varve-test-* 2>/dev/null; echo x > /m/written # root",
      "RUN --mount=from=evil,source=/up,target=/m,rw cat /m/marker; ls -d /m/tmp/varve-test-* 2>/dev/null; true # up",
    ]);
    assert.deepEqual([...logOf(stderr, "# root"), ...logOf(stderr, "# up")], ["mine", "mine"]);
    const { code, stderr: refused } = await box.build({
      Dockerfile: `FROM busybox AS evil\nRUN ln -s ${folder} /abs\nFROM busybox\nRUN --mount=from=evil,source=/abs,target=/m cat /m/canary`,
    });
    assert.equal(code, 1);
    assert.match(refused, /MOUNT_SOURCE|not found/);
    untouched();
  });

  test("CVE-2024-9675 ids and sources of caches with .. stay in the cache", async () => {
    const before = () => readdirSync(box.folder).sort();
    outside();
    const names = [...before(), `context-${before().filter((name) => name.startsWith("context-")).length + 1}`].sort();
    const { stderr } = await build([
      "FROM busybox",
      "RUN --mount=type=cache,id=../../../../etc,target=/c ls -A /c; touch /c/planted # id",
      "RUN --mount=type=cache,id=../../../../etc,source=/../../..,target=/c ls -A /c # source",
      "RUN --mount=type=cache,id=/etc,target=/c ls -A /c; echo end # absolute",
      "RUN --mount=type=cache,id=links,target=/c ln -s / /c/root && ln -s ../../../.. /c/up",
      "RUN --mount=type=cache,id=links,source=/root,target=/c ls /c # link",
      "RUN --mount=type=cache,id=links,source=/up,target=/c ls /c # up",
    ]);
    assert.deepEqual([logOf(stderr, "# id"), logOf(stderr, "# source"), logOf(stderr, "# absolute")], [[], ["planted"], ["end"]]);
    assert.deepEqual(
      [logOf(stderr, "# link"), logOf(stderr, "# up")],
      [
        ["root", "up"],
        ["root", "up"],
      ],
    );
    assert.deepEqual(before(), names);
    assert.equal(existsSync("/etc/planted"), false);
  });

  test("CVE-2024-23651 CVE-2024-11218 a cache's source that another step swaps for a link never shows the host", async () => {
    outside();
    const swap = `FROM busybox AS swap\nRUN --mount=type=cache,id=race,target=/c cd /c; for i in $(seq 1 1500); do for to in / ../../../../../../.. real; do ln -s $to y; mv -T y x; done; done; echo done`;
    const look = (index: number) =>
      `FROM busybox AS look${index}\nRUN --mount=type=cache,id=race,target=/w sleep 0.${index % 10}\nRUN --mount=type=cache,id=race,source=/x,target=/m find /m -maxdepth 3 -name canary -o -maxdepth 3 -name 'varve-test-*' | sed s/^/FOUND/; echo looked`;
    const looks = Array.from({ length: 8 }, (_, index) => look(index));
    const prepare = "FROM busybox\nRUN --mount=type=cache,id=race,target=/c mkdir /c/real; ln -s real /c/x";
    await build([prepare]);
    const copies = ["swap", ...looks.map((_, index) => `look${index}`)].map((name) => `COPY --from=${name} /bin/true /${name}`);
    const { code, stderr } = await box.build({ Dockerfile: [swap, ...looks, "FROM busybox", ...copies].join("\n") });
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/^#\d+ [\d.]+ looked$/gm)?.length, looks.length);
    assert.doesNotMatch(stderr, /^#\d+ [\d.]+ FOUND/m);
    untouched();
  });

  test("CVE-2024-23652 a step that replaces the parents of its mounts by links loses nothing of the host", async () => {
    const folder = outside();
    mkdirSync(join(folder, "../empty-target/deep/place"), { recursive: true });
    await build([
      "FROM busybox",
      `RUN --mount=type=tmpfs,target=/a/deep/place --mount=type=secret,id=S,target=/b/deep/place mv /a /a2; mv /b /b2; ln -s ${box.path("empty-target")} /a; ln -s ${box.path("empty-target")} /b; ls -l / # swap`,
    ]);
    assert.equal(existsSync(box.path("empty-target/deep/place")), true);
    untouched();
  });

  test("CVE-2024-45310 CVE-2021-30465 a target that is a link in the image, or in a cache, is made inside the root", async () => {
    const folder = outside();
    await build([
      "FROM busybox",
      `RUN ln -s ${folder} /t && ln -s ${folder}/new /n`,
      "RUN --mount=type=tmpfs,target=/t/made touch /t/made/x",
      "RUN --mount=source=Dockerfile,target=/n cat /n",
      `RUN --mount=type=cache,id=l,target=/c ln -s ${folder} /c/l`,
    ]);
    // runc makes it inside the root, crun refuses it
    const { stderr } = await box.build({
      Dockerfile: "FROM busybox\nRUN --mount=type=cache,id=l,target=/c --mount=type=tmpfs,target=/c/l/sub touch /c/l/sub/x",
    });
    assert.doesNotMatch(stderr, /INTERNAL/);
    untouched();
  });
});

describeEachWay("entitlements", (box) => {
  test("T30 T31 R07 R08 B02 what goes beyond the sandbox runs only when it is allowed, and nothing runs before that is known", async () => {
    for (const [flag, entitlement] of [
      ["--network=host", "network.host"],
      ["--security=insecure", "security.insecure"],
    ] as const) {
      const files = {
        Dockerfile: `FROM busybox\nRUN echo ran-${entitlement}\nRUN ${flag} grep CapBnd /proc/self/status # probe`,
      };
      const refused = await box.build(files);
      assert.equal(refused.code, 3);
      assert.match(
        refused.stderr,
        new RegExp(
          `3 \\| >>> RUN[^]*ERROR: failed to build: ${entitlement} is not allowed \\[ENTITLEMENT_DENIED\\]\\nhint: allow it with --allow ${entitlement}`,
        ),
      );
      assert.doesNotMatch(refused.stderr, /^#\d+ [\d.]+ ran-/m);
      const allowed = await box.build(files, ["--allow", entitlement]);
      assert.equal(allowed.code, 0, allowed.stderr);
      const [, capabilities = "0"] = /CapBnd:\s+([0-9a-f]+)/.exec(logOf(allowed.stderr, "# probe").join("")) ?? [];
      // CAP_SYS_ADMIN is number 21
      assert.equal((BigInt(`0x${capabilities}`) >> 21n) & 1n, entitlement === "security.insecure" ? 1n : 0n);
    }
    const byNetwork = await box.build({ Dockerfile: "FROM busybox\nRUN --network=host true" }, ["--network", "host"]);
    assert.equal(byNetwork.code, 0, byNetwork.stderr);
    const unknown = await box.build({ Dockerfile: "FROM busybox" }, ["--allow", "everything"]);
    assert.match(unknown.stderr, /unknown entitlement everything/);
  });

  test("R09 T32 devices are not supported yet, and say so", async () => {
    const { code, stderr } = await box.build({ Dockerfile: "FROM busybox\nRUN --device=vendor.com/gpu=0 true" });
    assert.equal(code, 3);
    assert.match(stderr, /RUN --device is not supported yet/);
    assert.equal((await box.build({ Dockerfile: "FROM busybox" }, ["--allow", "device"])).code, 3);
  });
});
