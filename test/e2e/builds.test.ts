/** What comes out of builds: files, owners, config; and what a RUN finds around it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeArchive, listArchive, readEntry, readOciArchive } from "../kit/archive.ts";
import { describeEachWay } from "../kit/each-way.ts";
import { logOf, readSteps } from "../kit/progress.ts";

describeEachWay("builds", (box) => {
  test("I01 I05 FROM scratch and COPY make an image of the files alone, owned by root", async () => {
    const dockerfile =
      'FROM scratch\nCOPY a.txt /\nCOPY --chown=5:6 --chmod=640 deep /opt/deep/\nENV A=1\nLABEL l=m\nEXPOSE 80\nUSER 7\nCMD ["/x"]\n';
    const { code, stdout, stderr } = await box.build({ Dockerfile: dockerfile, "a.txt": "a", "deep/b.txt": "bb" }, [
      "-o",
      "type=oci,dest=-",
    ]);
    assert.equal(code, 0, stderr);
    const { config, layers } = readOciArchive(stdout);
    assert.deepEqual(
      layers.map((layer) => describeArchive(layer).map((line) => line.replace(/\s+\d{4}-\S+ \S+/, "").replace(/\s+/g, " "))),
      [["-rw-r--r-- 0/0 1 a.txt"], ["drw-r----- 5/6 0 opt/", "drw-r----- 5/6 0 opt/deep/", "-rw-r----- 5/6 2 opt/deep/b.txt"]],
    );
    const { Env, Labels, ExposedPorts, User, Cmd } = config.config;
    assert.deepEqual([Labels, ExposedPorts, User, Cmd], [{ l: "m" }, { "80/tcp": {} }, "7", ["/x"]]);
    assert.deepEqual(Env, ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=1"]);
  });

  test("I01 I02 a RUN on a base image of a registry adds one layer to the image's own", async () => {
    const { code, stdout, stderr } = await box.build({ Dockerfile: "FROM busybox\nRUN echo made > /made\n" }, [
      "-o",
      "type=oci,dest=-",
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /FROM docker\.io\/library\/busybox:latest@sha256:[0-9a-f]{64}/);
    const { layers, config } = readOciArchive(stdout);
    assert.deepEqual(
      describeArchive(layers.at(-1) ?? Buffer.alloc(0)).map((line) => line.split(" ").at(-1)),
      ["made"],
    );
    assert.equal(readEntry(layers.at(-1) ?? Buffer.alloc(0), "made").toString(), "made\n");
    const created = (config["history"] as { created_by: string }[]).map((entry) => entry.created_by);
    assert.equal(created.at(-1), "RUN /bin/sh -c echo made > /made # buildkit");
  });

  test("I11 I12 A10 R10 a RUN has the user, its groups, the environment and the working directory it was given", async () => {
    const dockerfile = [
      "FROM busybox",
      "RUN echo ada:x:1234:1234:Ada:/home/ada:/bin/sh >> /etc/passwd && printf '%s\\n' ada:x:1234: crew:x:2345:ada other:x:3456: >> /etc/group",
      'ENV GREETING="hello  world" ONE=1',
      "ARG ARGUED=yes",
      "USER ada",
      "WORKDIR /work/deep",
      'RUN echo "whoami=$(id -un) $(id -u) $(id -g) [$(id -G)]"; pwd; echo "$HOME|$GREETING|$ONE|$ARGUED|$GIVEN"; touch made; ls -ld . | cut -c1-10',
      "USER 77:other",
      'RUN echo "second=$(id -u) $(id -g)"',
    ].join("\n");
    const { code, stderr } = await box.build({ Dockerfile: dockerfile }, [
      "--build-arg",
      "ARGUED=given",
      "--build-arg",
      "GIVEN=x",
    ]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(logOf(stderr, "whoami="), [
      "whoami=ada 1234 1234 [1234 2345]",
      "/work/deep",
      "/home/ada|hello  world|1|given|",
      "drwxr-xr-x",
    ]);
    assert.deepEqual(logOf(stderr, "second="), ["second=77 3456"]);
    assert.match(stderr, /GIVEN/, "a build argument that no ARG declares is told of");
  });

  test("R10 a RUN may do what it may in Docker: capabilities, seccomp, devices, masked files", async () => {
    const probe = [
      "grep -E '^(CapEff|Seccomp:)' /proc/self/status | tr -s '\\t' ' '",
      "chown 12:34 /tmp && stat -c %u:%g /tmp",
      "mount -t tmpfs none /mnt 2>&1 | grep -o 'denied\\|not permitted' || echo mounted",
      "ls /proc/acpi 2>/dev/null | wc -l",
      "for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done",
      "df -h /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2",
    ].join("; ");
    const { code, stderr } = await box.build({ Dockerfile: `FROM busybox\nRUN ${probe}\n` });
    assert.equal(code, 0, stderr);
    const [capabilities, seccomp, owner, mount, acpi, ...rest] = logOf(stderr, "RUN grep");
    assert.deepEqual([capabilities, seccomp, owner, acpi], ["CapEff: 00000000a80425fb", "Seccomp: 2", "12:34", "0"]);
    assert.notEqual(mount, "mounted");
    assert.deepEqual(rest, ["64.0M"]);
  });

  test("R10 R13 B01 a RUN finds its host name, the hosts it was given and name servers; all it says arrives", async () => {
    const script =
      "hostname; grep -w db /etc/hosts | tr -s ' \\t' ' '; grep -c ^nameserver /etc/resolv.conf; i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done";
    const { code, stderr } = await box.build({ Dockerfile: `FROM busybox\nRUN ${script}\n` }, ["--add-host", "db:10.1.2.3"]);
    assert.equal(code, 0, stderr);
    const [hostname, hosts, servers, ...lines] = logOf(stderr, "RUN hostname");
    assert.deepEqual([hostname, hosts], ["buildkitsandbox", "10.1.2.3 db"]);
    assert.ok(Number(servers) > 0);
    assert.deepEqual([lines.length, lines.at(-1)], [20_000, "line 19999"]);
  });

  test("O02 owners, modes and deletions of a RUN are those of the image, also of files that are another's", async () => {
    const dockerfile = [
      "FROM busybox AS run",
      "RUN mkdir /d && touch /d/f && chown 1234:4321 /d/f && chmod 4755 /d/f",
      "RUN rm -r /d && mkdir /d && touch /d/g && chown 65534 /d/g && chmod 2640 /d/g",
      "FROM scratch",
      "COPY --from=run /d /d",
    ].join("\n");
    const { code, stdout, stderr } = await box.build({ Dockerfile: dockerfile }, ["-o", "-"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      describeArchive(stdout).map((line) => line.replace(/ +\d+ \d{4}-.* /, " ")),
      ["drwxr-xr-x 0/0 d/", "-rw-r-S--- 65534/0 d/g"],
    );
  });

  test("R01 a bind mount shows the context or a stage, and what is written to it is forgotten", async () => {
    const dockerfile = [
      "FROM busybox AS made",
      "RUN mkdir /out && echo from a stage > /out/file",
      "FROM busybox",
      "RUN --mount=target=/src --mount=from=made,source=/out,target=/made cat /src/a /made/file; touch /src/no 2>&1 | grep -c Read-only",
      "RUN --mount=target=/rw,rw --mount=source=a,target=/one echo written > /rw/a && cat /rw/a /one",
      "RUN --mount=target=/rw cat /rw/a; ls -d /src /made /one /rw 2>&1 || true",
    ].join("\n");
    const { code, stderr } = await box.build({ Dockerfile: dockerfile, a: "of the context\n" });
    assert.equal(code, 0, stderr);
    assert.deepEqual(logOf(stderr, "touch /src/no"), ["of the context", "from a stage", "1"]);
    assert.deepEqual(logOf(stderr, "echo written"), ["written", "of the context"]);
    assert.deepEqual(logOf(stderr, "ls -d"), [
      "of the context",
      "ls: /src: No such file or directory",
      "ls: /made: No such file or directory",
      "ls: /one: No such file or directory",
      "/rw",
    ]);
    assert.equal(readSteps(stderr).filter(({ end }) => end === "ERROR").length, 0);
  });

  test("R02 R03 a cache mount lives on between builds and stays out of the image; a tmpfs mount is empty each time", async () => {
    const dockerfile = (word: string) =>
      `FROM busybox\nRUN --mount=type=cache,target=/c,id=e2e --mount=type=tmpfs,target=/t ls /t; echo ${word} >> /c/log; cat /c/log; touch /t/x\n`;
    const first = await box.build({ Dockerfile: dockerfile("first") });
    assert.deepEqual(logOf(first.stderr, "RUN --mount=type=cache"), ["first"], first.stderr);
    const second = await box.build({ Dockerfile: dockerfile("second") }, ["-o", "type=tar,dest=-"]);
    assert.deepEqual(logOf(second.stderr, "RUN --mount=type=cache"), ["first", "second"], second.stderr);
    assert.deepEqual(
      describeArchive(second.stdout).filter((line) => /\slog$|\sc\/./.test(line)),
      [],
    );
  });

  test("R07 B17 a step without network has no interface but its own loopback", async () => {
    const dockerfile = "FROM busybox\nRUN --network=none echo flag; ls /sys/class/net; ip -o link | wc -l\n";
    const flagged = await box.build({ Dockerfile: dockerfile });
    assert.deepEqual(logOf(flagged.stderr, "echo flag").slice(-1), ["1"], flagged.stderr);
    const option = await box.build({ Dockerfile: "FROM busybox\nRUN ip -o link | sed 's/^[0-9]*: \\([a-z0-9]*\\).*/\\1/'\n" }, [
      "--network=none",
    ]);
    assert.deepEqual(logOf(option.stderr, "RUN ip"), ["lo"], option.stderr);
  });

  test("H04 H06 heredocs: a file by COPY, a script by RUN", async () => {
    const dockerfile =
      "FROM busybox\nARG name=ada\nCOPY <<one <<'two' /files/\n$name\none\n$name\ntwo\nRUN <<sh\ncd /files\ncat one two\nsh\n";
    const { code, stderr } = await box.build({ Dockerfile: dockerfile });
    assert.equal(code, 0, stderr);
    assert.deepEqual(logOf(stderr, "RUN <<sh"), ["ada", "$name"]);
  });

  test("G01 G04 G05 the ignore file keeps files out; one named after the Dockerfile wins", async () => {
    const files = {
      Dockerfile: "FROM scratch\nCOPY . /\n",
      "other.Dockerfile": "FROM scratch\nCOPY . /\n",
      ".dockerignore": "# a comment\n**/*.log\nsecret/\n!secret/but-this\n*ockerfile\n.dockerignore\n*.dockerignore\n",
      "other.Dockerfile.dockerignore": "*\n!a\n",
      a: "",
      "b.log": "",
      "deep/c.log": "",
      "deep/d": "",
      "secret/e": "",
      "secret/but-this": "",
    };
    const context = box.write("ignored", files);
    const names = async (file: string) => {
      const { stdout } = await box.succeed(["build", "-o", "-", "-f", `${context}/${file}`, context]);
      return listArchive(stdout);
    };
    assert.deepEqual(await names("Dockerfile"), ["a", "deep/", "deep/d", "secret/", "secret/but-this"]);
    assert.deepEqual(await names("other.Dockerfile"), ["a"]);
  });
});
