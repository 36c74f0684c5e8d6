/** Images made of containers, what is told of containers, and what does not wait for what: compared with a Docker Engine 28. */
import assert from "node:assert/strict";
import { closeSync, constants, existsSync, openSync, readdirSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../kit/command.ts";
import { describeEachWay } from "../kit/each-way.ts";

describeEachWay("images of containers", (box) => {
  const text = async (...args: string[]): Promise<string> => (await box.succeed(args)).stdout.toString().trim();
  const lines = async (...args: string[]): Promise<readonly string[]> => (await text(...args)).split("\n").filter(Boolean);
  const json = async (name: string): Promise<unknown> =>
    JSON.parse(await text("image", "inspect", "--format", "{{json .Config}}", name)) as unknown;
  const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
    for (const begin = Date.now(); !(await holds()); await sleep(50)) assert.ok(Date.now() - begin < 120_000, what);
  };
  const create = async (name: string, ...words: string[]) => await text("create", "--network", "none", "--name", name, ...words);
  after(async () => {
    const left = (await box.varve(["ps", "-aq"])).stdout.toString().split("\n").filter(Boolean);
    if (left.length > 0) await box.varve(["rm", "-fv", ...left]);
  });

  const script =
    "echo hi > /tmp/new; rm /etc/passwd; echo x >> /etc/group; chmod 700 /home; mkdir -p /opt/a/b; echo 1 > /opt/a/b/c; " +
    "ln /opt/a/b/c /opt/a/b/hard; ln -s c /opt/a/b/link; mkfifo /opt/fifo; echo no > /data/file; rm -r /var/tmp; mkdir /var/tmp; echo k > /var/tmp/k";
  const changed = [
    "A /data",
    "C /etc",
    "C /etc/group",
    "D /etc/passwd",
    "C /home",
    "A /opt",
    "A /opt/a",
    "A /opt/a/b",
    "A /opt/a/b/c",
    "A /opt/a/b/hard",
    "A /opt/a/b/link",
    "A /opt/fifo",
    "C /tmp",
    "A /tmp/new",
  ];

  test("diff tells what a container changed, commit makes an image of it, and what is mounted is no part of either", async () => {
    await create("made", "-v", "kept:/data", "-e", "FOO=bar", "-l", "a=b", "busybox", "sh", "-c", script);
    assert.deepEqual(await lines("diff", "made"), []);
    await text("start", "made");
    assert.equal(await text("wait", "made"), "0");
    const found = await lines("diff", "made");
    assert.deepEqual(
      found.filter((line) => !/ \/(?:home|var)\b/.test(line)),
      changed.filter((line) => !line.includes("/home")),
    );
    const changes = [
      'CMD ["a","b"]',
      'ENV X=1 Y="2 3"',
      "EXPOSE 99",
      "LABEL q=w",
      "WORKDIR /wd",
      "USER nobody",
      "VOLUME /vv",
      "HEALTHCHECK CMD true",
      "ONBUILD RUN x",
      "STOPSIGNAL SIGINT",
      "ENTRYPOINT sh",
    ];
    const words = ["-a", "Me <m@e>", "-m", "the message", ...changes.flatMap((change) => ["-c", change])];
    assert.match(await text("commit", ...words, "made", "one:1"), /^sha256:[0-9a-f]{64}$/);
    const { Env, Labels, ...config } = (await json("one:1")) as { Env: string[]; Labels: Record<string, string> };
    assert.deepEqual(
      Env.filter((entry) => !entry.startsWith("PATH=")),
      ["FOO=bar", "X=1", "Y=2 3"],
    );
    assert.deepEqual([Labels["a"], Labels["q"]], ["b", "w"]);
    assert.deepEqual(config, {
      User: "nobody",
      ExposedPorts: { "99/tcp": {} },
      Entrypoint: ["/bin/sh", "-c", "sh"],
      Cmd: ["a", "b"],
      Volumes: { "/vv": {} },
      WorkingDir: "/wd",
      StopSignal: "SIGINT",
      Healthcheck: { Test: ["CMD-SHELL", "true"] },
      OnBuild: ["RUN x"],
    });
    const [newest] = await lines("history", "--no-trunc", "--format", "{{.CreatedBy}}|{{.Comment}}", "one:1");
    assert.equal(newest, `sh -c ${script}|the message`);
    const look = "cat /tmp/new /opt/a/b/hard /opt/a/b/link /var/tmp/k; ls -a /data /etc/passwd; stat -c %h /opt/a/b/c";
    const ran = await box.varve(["run", "--rm", "--network", "none", "-u", "0", "--entrypoint", "sh", "one:1", "-c", look]);
    assert.match(ran.stdout.toString(), /^hi\n1\n1\nk\n\/data:\n\.\n\.\.\n2\n$/);
    assert.match(ran.stderr, /\/etc\/passwd/);
    await text("rm", "made");
    // the image stands without its container, and without the one below
    await text("tag", "one:1", "one:2");
    const archive = await box.succeed(["save", "one:1"]);
    assert.ok(archive.stdout.length > 100_000);
    await text("rmi", "one:1", "one:2");
  });

  test("what is no change, no container or no name is refused in Docker's words", async () => {
    await create("plain", "busybox", "true");
    for (const [args, message] of [
      [["commit", "-c", "RUN x", "plain"], /RUN is not a valid change command/],
      [["commit", "-c", 'SHELL ["a"]', "plain"], /SHELL is not a valid change command/],
      [["commit", "nobody"], /No such container: nobody/],
      [["commit", "plain", "x@sha256:" + "0".repeat(64)], /refusing to create a tag with a digest reference/],
      [["diff", "nobody"], /No such container: nobody/],
      [["export", "nobody"], /No such container: nobody/],
      [
        ["export", "-o", "/not/there", "plain"],
        /failed to export container: invalid output path: stat \/not: no such file or directory/,
      ],
      [["import", "/not/there", "x"], /open \/not\/there: no such file or directory/],
    ] as const) {
      const { code, stderr } = await box.varve(args);
      assert.match(stderr, message, args.join(" "));
      assert.ok(code === 1 || code === 2, args.join(" "));
    }
    assert.match(await text("commit", "-c", 'ENTRYPOINT ["e"]', "plain"), /^sha256:/);
    await text("rm", "plain");
  });

  test("an exported container, running or not, becomes an image by import", async () => {
    await create("runs", "-v", "/vol", "busybox", "sh", "-c", "echo in > /vol/hidden; echo out > /seen; exec sleep 1000");
    await text("start", "runs");
    await until("it wrote", async () => (await box.varve(["exec", "runs", "test", "-s", "/seen"])).code === 0);
    const names = async (): Promise<readonly string[]> => {
      const { stdout } = await box.succeed(["export", "runs"]);
      const listed = await start(["tar", "--list"], { input: stdout }).result;
      return listed.stdout.toString().split("\n");
    };
    const running = await names();
    for (const name of ["seen", "bin/", "vol/", "etc/group"]) assert.ok(running.includes(name), name);
    assert.deepEqual(
      running.filter((name) => /^(?:vol|proc|sys)\/./.test(name)),
      [],
    );
    await text("stop", "-t", "0", "runs");
    assert.deepEqual(await names(), running);
    await text("export", "-o", box.path("files.tar"), "runs");
    const id = await text(
      "import",
      "-m",
      "brought",
      "-c",
      'CMD ["cat","/seen"]',
      "-c",
      "ENV A=b",
      box.path("files.tar"),
      "brought:1",
    );
    assert.match(id, /^sha256:/);
    assert.deepEqual(await json("brought:1"), { Env: ["A=b"], Cmd: ["cat", "/seen"] });
    assert.equal(await text("run", "--rm", "--network", "none", "brought:1"), "out");
    const piped = await box.varve(["import", "-"], { input: Buffer.from("junk that is no tar archive") });
    assert.notEqual(piped.code, 0);
    await text("rm", "-v", "runs");
    await text("rmi", "brought:1");
  });

  test("an image is mounted for reading, and its files stay while a container has it", async () => {
    const id = await text("create", "--network", "none", "busybox", "sh", "-c", "echo part > /part");
    await text("start", id);
    await text("wait", id);
    await text("commit", id, "part:1");
    await text("rm", id);
    const missing = await box.varve(["create", "--mount", "type=image,source=not-here,target=/img", "busybox"]);
    assert.match(missing.stderr, /No such image: not-here:latest/);
    const script = "cat /img/part; touch /img/x; exec sleep 1000";
    await create("shows", "--mount", "type=image,source=part:1,target=/img", "busybox", "sh", "-c", script);
    assert.equal(await text("rmi", "part:1").then(() => "gone"), "gone");
    await text("builder", "prune", "-af");
    await text("start", "shows");
    await until("it wrote", async () => (await box.succeed(["logs", "shows"])).stderr.includes("Read-only file system"));
    assert.equal(await text("logs", "shows"), "part");
    assert.equal(
      await text("inspect", "-f", "{{range .Mounts}}{{.Type}} {{.Name}} {{.RW}}{{end}}", "shows"),
      "image part:1 false",
    );
    assert.deepEqual(await lines("diff", "shows"), ["A /img"]);
    await text("rm", "-f", "shows");
  });

  test("events tell what happened, in order, also of the past and of what is gone", async () => {
    const begin = Date.now();
    await create("told", "-l", "kind=test", "busybox", "sh", "-c", "exit 3");
    assert.equal((await box.varve(["start", "-a", "told"])).code, 3);
    await text("rename", "told", "told2");
    await text("rm", "told2");
    const period = ["--since", String(begin / 1000), "--until", String(Date.now() / 1000)];
    const past = await lines(
      "events",
      ...period,
      "--filter",
      "label=kind=test",
      "--format",
      "{{.Action}} {{.Actor.Attributes.name}}",
    );
    assert.deepEqual(past, ["create told", "start told", "die told", "rename told2", "destroy told2"]);
    const [died] = await lines("events", ...period, "--filter", "event=die", "--filter", "label=kind=test", "--format", "json");
    const { Actor, from } = JSON.parse(died ?? "") as { Actor: { Attributes: Record<string, string> }; from: string };
    assert.deepEqual([Actor.Attributes["exitCode"], from], ["3", "busybox"]);
  });

  test("who stops or removes a container that rests does not wait for whoever copies from it, and who starts it does", async () => {
    const id = await create("large", "busybox", "sh", "-c", "head -c 20000000 /dev/zero > /big");
    await text("start", "large");
    await text("wait", "large");
    // its reader takes nothing: the pipe fills up, and the copy waits
    const pipe = box.path("slow");
    await start(["mkfifo", "-m", "666", pipe]).result;
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const copying = box.start(["export", "-o", pipe, "large"]);
    await until("it copies", () => existsSync(box.path("store/containers", id, "copy")));
    await text("stop", "large");
    const starting = box.start(["start", "large"]);
    await text("rm", "-f", "large");
    const started = await starting.result;
    assert.deepEqual([started.code, /No such container/.test(started.stderr)], [1, true]);
    closeSync(reader);
    assert.notEqual((await copying.result).code, 0);
    assert.deepEqual(readdirSync(box.path("store/containers")), []);
  });

  test("several log files are kept, read as one, and none is lost to who follows", async () => {
    // a file takes almost two seconds: who follows is not so late that one which it has not begun is gone
    const flags = ["--log-opt", "max-size=5k", "--log-opt", "max-file=3"];
    const write =
      'i=0; while [ ! -e /enough ]; do echo "line $i of a log that is long"; i=$((i+1)); [ $((i % 4)) = 0 ] && sleep 0.1; done';
    const id = await create("wordy", ...flags, "busybox", "sh", "-c", write);
    await text("start", "wordy");
    const following = box.start(["logs", "-f", "wordy"]);
    await until("three files are full", () => existsSync(box.path("store/containers", id, "ctr.log.2")));
    await text("exec", "wordy", "touch", "/enough");
    const { code, stdout } = await following.result;
    assert.equal(code, 0);
    const followed = stdout.toString().split("\n").filter(Boolean);
    // from the oldest line that was kept when it began, without a gap
    const numbers = followed.map((line) => Number(line.split(" ")[1]));
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => (numbers[0] ?? 0) + index),
    );
    const files = readdirSync(box.path("store/containers", id)).filter((name) => name.startsWith("ctr.log"));
    // one that is full as the container ends may have no successor
    assert.deepEqual(files.filter((name) => name !== "ctr.log").toSorted(), ["ctr.log.1", "ctr.log.2"]);
    const kept = await lines("logs", "wordy");
    assert.ok(kept.length > 100 && followed.length > 0);
    assert.equal(kept.at(-1), followed.at(-1));
    assert.deepEqual(kept.slice(-followed.length), followed.slice(-kept.length));
    assert.deepEqual(await lines("logs", "-n", "100", "wordy"), kept.slice(-100));
    await text("rm", "wordy");
  });

  test("system df counts containers and volumes, and system prune begins with containers", async () => {
    await create("rests", "-v", "/anonymous", "busybox", "true");
    await text("volume", "create", "named");
    const all = (await lines("ps", "-aq")).length;
    const rows = (await lines("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}}")).slice(1, 3);
    assert.deepEqual([rows[0], /^Local Volumes \d+ 1$/.test(rows[1] ?? "")], [`Containers ${all} 0`, true]);
    const details = await text("system", "df", "-v");
    assert.match(details, /\n[0-9a-f]{12} +busybox +"true" +1 +\S+ +.* ago +Created +rests\n/);
    const refused = await box.varve(["system", "prune", "-f", "--volumes", "--filter", "until=1h"]);
    assert.match(refused.stderr, /The "until" filter is not supported with "--volumes"/);
    const pruned = await text("system", "prune", "-f", "--volumes");
    assert.match(
      pruned,
      /^Deleted Containers:\n(?:[0-9a-f]{64}\n)+\n(?:Deleted Networks[^]*)?Deleted Volumes:\n[0-9a-f]{64}\n\n/,
    );
    assert.ok((await lines("volume", "ls", "-q")).includes("named"));
    assert.match(await text("volume", "prune", "-af"), /^Deleted Volumes:\n(?:.*\n)*named\n/);
  });
});
