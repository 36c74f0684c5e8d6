/** Secrets and SSH agents: what steps get of them, and that nothing of them is found afterwards. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { lstatSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { listArchive, readOciArchive } from "../kit/archive.ts";
import { describeEachWay } from "../kit/each-way.ts";
import { logOf, readSteps } from "../kit/progress.ts";
import type { Sandbox } from "../kit/sandbox.ts";
import { missingSshServer, startSshServer } from "../kit/ssh-server.ts";

describeEachWay("secrets", (box) => {
  const build = async (lines: readonly string[], args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) => {
    const result = await box.build({ Dockerfile: ["FROM busybox", ...lines].join("\n") }, args, { env });
    assert.equal(result.code, 0, result.stderr);
    return result;
  };
  const secretFile = (name: string, content: string) => join(box.write("secrets", { [name]: content }), name);

  test("R04 B28 secrets from files and variables come as files with owner and mode, read-only, in memory", async () => {
    const file = secretFile("file", "from a file\n");
    const { stderr } = await build(
      [
        "RUN --mount=type=secret,id=file --mount=type=secret,id=VAR,target=/deep/er/var,mode=0444,uid=7,gid=8 --mount=type=secret,id=none stat -c '%a %u:%g %n' /run/secrets/* /deep/er/*; cat /run/secrets/file /deep/er/var",
        "RUN --mount=type=secret,id=file exec 2>&1; sh -c 'echo x > /run/secrets/file'; rm /run/secrets/file; mount | grep /run/secrets/file; true # writes",
        "WORKDIR /w",
        "RUN --mount=type=secret,id=file,target=here cat /w/here",
        "RUN ls /run /deep /w || true # after",
      ],
      ["--secret", `id=file,src=${file}`, "--secret", "id=VAR"],
      { VAR: "from a variable" },
    );
    assert.deepEqual(logOf(stderr, "stat -c"), [
      "400 0:0 /run/secrets/file",
      "444 7:8 /deep/er/var",
      "from a file",
      "from a variable",
    ]);
    const writes = logOf(stderr, "# writes").join("\n");
    assert.match(
      writes,
      /Read-only file system[^]*can't remove[^]*tmpfs on \/run\/secrets\/file type tmpfs \(ro,nosuid,nodev,noexec/,
    );
    assert.deepEqual(logOf(stderr, "cat /w/here"), ["from a file"]);
    assert.deepEqual(
      logOf(stderr, "# after").filter((line) => !/No such file/.test(line)),
      ["/w:"],
    );
  });

  test("Y13 a secret as a variable is no file, unless it has a target; a missing one is empty; the step's name shows asterisks", async () => {
    const { stderr } = await build(
      [
        'RUN --mount=type=secret,id=A,env=TOKEN echo "1 $TOKEN"; ls -d /run 2>&1 || true',
        'RUN --mount=type=secret,id=A,env=TOKEN,target=/t echo "2 $TOKEN $(cat /t)"',
        'RUN --mount=type=secret,id=none,env=TOKEN echo "3 [${TOKEN-unset}]"',
        'RUN echo "4 [${TOKEN-unset}]"',
      ],
      ["--secret", "id=A"],
      { A: "value" },
    );
    assert.deepEqual(logOf(stderr, 'echo "1 '), ["1 value", "ls: /run: No such file or directory"]);
    assert.deepEqual(logOf(stderr, 'echo "2 '), ["2 value value"]);
    assert.deepEqual(logOf(stderr, 'echo "3 '), ["3 []"]);
    assert.deepEqual(logOf(stderr, 'echo "4 '), ["4 [unset]"]);
    assert.match(stderr, /RUN --mount=type=secret,id=A,env=TOKEN echo "1 \*{4}/);
  });

  test("R04 a secret that is required and not given fails its step, at its place", async () => {
    for (const mount of ["id=gone,required", "id=gone,env=X,required=true"]) {
      const { code, stderr } = await box.build({ Dockerfile: `FROM busybox\n\nRUN --mount=type=secret,${mount} true` });
      assert.equal(code, 2);
      assert.match(
        stderr,
        /3 \| >>> RUN[^]*ERROR: failed to build: secret gone: not found \[SECRET_NOT_FOUND\]\nhint: give it with --secret id=gone/,
      );
    }
  });

  test("R04 an owner beyond the user's subordinate ids is refused by its number", async () => {
    const files = { Dockerfile: "FROM busybox\nRUN --mount=type=secret,id=V,uid=4000000,target=/s stat -c owner=%u /s" };
    const { code, stderr } = await box.build(files, ["--secret", "id=V"], { env: { V: "x" } });
    if (box.way.name === "as root") assert.deepEqual(logOf(stderr, "stat -c"), ["owner=4000000"]);
    else assert.match(stderr, /cannot belong to 4000000:0[^]*\[MOUNT_OWNER\]/);
    assert.equal(code, box.way.name === "as root" ? 0 : 3);
  });

  test("L51 another value of a secret keeps the cached result, another id does not", async () => {
    const dockerfile = (id: string) => `FROM busybox\nRUN --mount=type=secret,id=${id},target=/s cat /s > /kept`;
    const ends = async (id: string, value: string) => {
      const { code, stderr } = await box.build({ Dockerfile: dockerfile(id) }, ["--secret", `id=${id},env=V`], {
        env: { V: value },
      });
      assert.equal(code, 0, stderr);
      return readSteps(stderr).find(({ name }) => name.includes("RUN"))?.end;
    };
    assert.deepEqual([await ends("one", "1"), await ends("one", "2"), await ends("two", "2")], ["DONE", "CACHED", "DONE"]);
  });

  test("F9 CVE-2021-3602 a secret is found nowhere: not in layers, config, history, state, logs, errors, command lines, or other steps", async () => {
    const canary = `canary-${"x".repeat(8)}-${process.pid}`;
    const inFile = secretFile("canary", canary);
    const dockerfile = [
      "FROM busybox AS other",
      // runs beside the step that has the secret, and looks at whatever it can see
      `RUN for i in 1 2 3 4 5; do cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n' >> /seen; find / -xdev -name 'secret*' >> /seen; sleep 0.2; done; ls /run/secrets >> /seen 2>&1; true`,
      "FROM busybox",
      'RUN --mount=type=secret,id=a,target=/x/y/file --mount=type=secret,id=b,env=TOKEN test -s /x/y/file && test -n "$TOKEN" && sleep 1 && echo ${#TOKEN} > /length',
      "COPY --from=other /seen /seen",
      "RUN --mount=type=secret,id=a --mount=type=secret,id=b,env=TOKEN /no/such/program",
    ].join("\n");
    const context = box.write("canary-context", { Dockerfile: dockerfile });
    const args = ["--secret", `id=a,src=${inFile}`, "--secret", "id=b,env=TOKEN_OUTSIDE"];
    const running = box.start(["build", "--progress=plain", "-t", "canary", "-o", "type=oci,dest=out.tar", ...args, context], {
      env: { TOKEN_OUTSIDE: canary },
    });
    let ended = false;
    const result = running.result.finally(() => (ended = true));
    while (!ended) {
      const lines = spawnSync("sh", ["-c", "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'"], { encoding: "latin1" }).stdout;
      assert.equal(lines.includes(canary), false, "a command line shows the secret");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { code, stdout, stderr } = await result;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /\/no\/such\/program/);
    assert.equal(`${stdout.toString("latin1")}${stderr}`.includes(canary), false, "the output shows the secret");

    const good = await box.varve(
      [
        "build",
        "--progress=plain",
        "-t",
        "canary",
        "-o",
        "type=oci,dest=out.tar",
        "-o",
        "type=image",
        "--metadata-file",
        "metadata.json",
        ...args,
        box.write("canary-good", { Dockerfile: dockerfile.split("\n").slice(0, -1).join("\n") }),
      ],
      {
        env: { TOKEN_OUTSIDE: canary },
      },
    );
    assert.equal(good.code, 0, good.stderr);
    assert.equal(good.stderr.includes(canary), false);
    const { layers } = readOciArchive(readFileSync(box.path("out.tar")));
    for (const layer of layers) assert.equal(layer.includes(canary), false, "a layer has the secret");
    const step = layers.find((layer) => listArchive(layer).some((name) => /length/.test(name)));
    assert.deepEqual(listArchive(step ?? Buffer.alloc(0)), ["length"], "nothing is left of the places of the mounts");
    const raw = await box.build({ Dockerfile: dockerfile }, ["--no-cache", "--progress=rawjson", ...args], {
      env: { TOKEN_OUTSIDE: canary },
    });
    assert.equal(raw.code, 1, raw.stderr);
    const events = `${raw.stdout.toString("latin1")}${raw.stderr}`;
    const logged = [...events.matchAll(/"data":"([^"]*)"/g)].map(([, data = ""]) =>
      Buffer.from(data, "base64").toString("latin1"),
    );
    assert.equal(
      [events, ...logged].some((text) => text.includes(canary)),
      false,
      "the events show the secret",
    );

    const read: string[] = [];
    for (const place of ["store", "out.tar", "metadata.json", "home", "tmp"])
      assert.deepEqual(findText(canary, box.path(place), read), [], place);
    assert.ok(read.length > 50, `only ${read.length} files were searched`);
    // what is looked for would be found: the history has what a step said
    assert.notDeepEqual(findText("/no/such/program", box.path("store"), []), []);
    const history = await box.succeed(["history", "--no-trunc", "canary"]);
    assert.equal(history.stdout.includes(canary), false);
  });
});

describeEachWay("ssh agents", (box) => {
  const keys = makeKeys(box);

  test("R05 B30 Y14 a step reaches the agent of a running socket, can list and sign, and cannot change it", async () => {
    const socket = box.path("agent");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"], ...userOf(box) });
    try {
      await once(agent.stdout, "data");
      execFileSync("ssh-add", ["-q", keys.privatePath], {
        env: { PATH: process.env["PATH"], SSH_AUTH_SOCK: socket },
        stdio: "ignore",
        ...userOf(box),
      });
      const { code, stderr } = await box.build(
        {
          ...keys.program,
          Dockerfile: [
            "FROM busybox",
            "COPY --chmod=755 root/ /",
            'RUN --mount=type=ssh exec 2>&1; echo "socket $SSH_AUTH_SOCK"; ssh-add -L; ssh-add -T /key.pub && echo signed; ssh-add -D; ssh-add -x </dev/null; ssh-add -L | wc -l',
            'RUN --mount=type=ssh,target=/a,uid=33,gid=44,mode=0620 --mount=type=ssh stat -c "%a %u:%g %F %n" /a /run/buildkit/*; echo "first $SSH_AUTH_SOCK"',
            "RUN ls -d /run /a || true # left",
          ].join("\n"),
        },
        ["--ssh", "default"],
        { env: { SSH_AUTH_SOCK: socket } },
      );
      assert.equal(code, 0, stderr);
      const [first, listed, signed, ...rest] = logOf(stderr, "ssh-add -T");
      assert.deepEqual([first, listed, signed], ["socket /run/buildkit/ssh_agent.0", keys.publicKey, "signed"]);
      assert.match(rest.join("\n"), /Failed to remove all identities\.[^]*\n1$/);
      assert.deepEqual(logOf(stderr, "stat -c"), ["620 33:44 socket /a", "600 0:0 socket /run/buildkit/ssh_agent.1", "first /a"]);
      assert.deepEqual(
        logOf(stderr, "# left").filter((line) => !/No such file/.test(line)),
        [],
      );
    } finally {
      agent.kill();
      await once(agent, "exit");
    }
  });

  test("B30 keys in files get an agent that ends with the build; a missing agent is a failure only where it is required", async () => {
    const lines = [
      "FROM busybox",
      "COPY --chmod=755 root/ /",
      "RUN --mount=type=ssh,id=k --mount=type=ssh,id=none ls /run/buildkit; ssh-add -L",
    ];
    const good = await box.build({ ...keys.program, Dockerfile: lines.join("\n") }, ["--ssh", `k=${keys.privatePath}`]);
    assert.equal(good.code, 0, good.stderr);
    assert.deepEqual(logOf(good.stderr, "ssh-add"), ["ssh_agent.0", keys.publicKey]);
    const bad = await box.build({ Dockerfile: "FROM busybox\nRUN --mount=type=ssh,id=none,required true" }, [
      "--ssh",
      `k=${keys.privatePath}`,
    ]);
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /no SSH key "none" forwarded from the client \[SSH_NOT_FOUND\]\nhint: give it with --ssh none/);
    const store = spawnSync("grep", ["-rlaF", readFileSync(keys.privatePath, "utf8").split("\n")[2] ?? "?", box.path("store")], {
      encoding: "utf8",
    });
    assert.deepEqual([store.stdout, store.status], ["", 1], "the private key is nowhere in the store");
  });

  const withServer = missingSshServer === undefined ? {} : { skip: missingSshServer };
  test(
    "R05 X07 a step logs in to a real server, and repositories come from it, by an agent and by a key file",
    withServer,
    async () => {
      await using server = await startSshServer(box.path("sshd"), { publicKey: keys.publicKey });
      const there = box.path("there");
      const git = (...args: readonly string[]) =>
        execFileSync("git", [
          "-C",
          there,
          "-c",
          "user.name=a",
          "-c",
          "user.email=a@b.example",
          "-c",
          "safe.directory=*",
          ...args,
        ]);
      box.write("there", { file: "from the repository\n" });
      git("init", "--quiet", "--initial-branch=main");
      git("add", "--all");
      git("commit", "--quiet", "--message=first");
      if (server.uid !== undefined) execFileSync("chown", ["-R", String(server.uid), there]);
      const remote = `ssh://${server.user}@127.0.0.1:${server.port}${there}/.git`;
      const login = `ssh -p ${server.port} -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/known ${server.user}@127.0.0.1`;
      const files = {
        ...keys.program,
        Dockerfile: [
          "FROM busybox",
          "COPY --chmod=755 root/ /",
          `ADD ${remote}#main /added`,
          `RUN --network=host --mount=type=ssh ${login} 'echo "in as $(id -un)"; git -C ${there} -c safe.directory=\\* log --format=%s'`,
          `RUN --network=host ${login} true && echo strange || echo "out without the agent"`,
          "RUN cat /added/file; ls -d /run /root/.ssh 2>&1 || true # left",
        ].join("\n"),
      };
      const network = ["--allow", "network.host", "--no-cache"];
      const check = ({ code, stderr }: { readonly code: number | null; readonly stderr: string }) => {
        assert.equal(code, 0, `${stderr}\n${server.log()}`);
        assert.deepEqual(
          logOf(stderr, "git -C").filter((line) => !line.startsWith("Warning: ")),
          [`in as ${server.user}`, "first"],
        );
        assert.deepEqual(logOf(stderr, "echo strange"), ["out without the agent"]);
        assert.match(stderr, /Permission denied \(publickey\)/);
        assert.match(logOf(stderr, "# left").join("\n"), /^from the repository\n(?:ls: .*No such file.*\n?){2}$/);
      };
      check(await box.build(files, [...network, "--ssh", `default=${keys.privatePath}`]));
      const socket = box.path("agent-for-server");
      const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"], ...userOf(box) });
      try {
        await once(agent.stdout, "data");
        const env = { PATH: process.env["PATH"], SSH_AUTH_SOCK: socket };
        execFileSync("ssh-add", ["-q", keys.privatePath], { env, stdio: "ignore", ...userOf(box) });
        check(await box.build(files, [...network, "--ssh", "default"], { env: { SSH_AUTH_SOCK: socket } }));
        const fetched = await box.varve(
          ["build", "--progress=plain", "--ssh", "default", "-o", box.path("from-ssh"), "-f", "-", `${remote}#main`],
          { env: { SSH_AUTH_SOCK: socket }, input: "FROM scratch\nCOPY file /\n" },
        );
        assert.equal(fetched.code, 0, fetched.stderr);
        assert.equal(readFileSync(box.path("from-ssh/file"), "utf8"), "from the repository\n");
      } finally {
        agent.kill();
        await once(agent, "exit");
      }
    },
  );
});

/** The files at or below a path that hold a text, also within zstd and gzip; `read` learns of every file looked into. */
function findText(text: string, path: string, read: string[]): string[] {
  const state = lstatSync(path);
  if (state.isDirectory()) return readdirSync(path).flatMap((name) => findText(text, join(path, name), read));
  if (!state.isFile()) return [];
  read.push(path);
  const bytes = readFileSync(path);
  const magic = bytes.toString("hex", 0, 4);
  const within = magic === "28b52ffd" ? zstdDecompressSync(bytes) : magic.startsWith("1f8b") ? gunzipSync(bytes) : bytes;
  return bytes.includes(text) || within.includes(text) ? [path] : [];
}

interface Keys {
  readonly privatePath: string;
  readonly publicKey: string;
  /** Files for a context: ssh and ssh-add with their libraries, and the public key, below `root/`. */
  readonly program: Readonly<Record<string, Buffer>>;
}

function makeKeys(box: Sandbox): Keys {
  const folder = box.path("keys");
  mkdirSync(folder);
  const privatePath = join(folder, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "somebody", "-f", privatePath]);
  box.write("keys", {});
  const [add, ssh] = ["ssh-add", "ssh"].map((name) =>
    execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim(),
  ) as [string, string];
  const libraries = execFileSync("ldd", [add, ssh], { encoding: "utf8" }).match(/(?<=^\t(?:.* )?)\/\S+/gm) ?? [];
  return {
    privatePath,
    publicKey: readFileSync(`${privatePath}.pub`, "utf8").trim(),
    program: {
      "root/bin/ssh-add": readFileSync(add),
      "root/bin/ssh": readFileSync(ssh),
      "root/key.pub": readFileSync(`${privatePath}.pub`),
      ...Object.fromEntries(libraries.map((path) => [`root${path}`, readFileSync(path)])),
    },
  };
}

function userOf({ way: { person } }: Sandbox): { readonly uid?: number; readonly gid?: number } {
  return person === undefined ? {} : { uid: person.uid, gid: person.gid };
}
