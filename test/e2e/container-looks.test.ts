/** What runs in a container, what it uses, and where its ports are: `top`, `stats` and `port`, in Docker's words. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { describeEachWay } from "../kit/each-way.ts";

describeEachWay("looks at containers", (box) => {
  const asRoot = box.way.name === "as root";
  const text = async (...args: string[]): Promise<string> => (await box.succeed(args)).stdout.toString();
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await box.varve(args);
    assert.equal(code, 1, stderr);
    return stderr;
  };

  before(async () => {
    await box.succeed(["pull", "busybox"]);
    const program = "x=$(head -c 30000000 /dev/zero | tr '\\0' x); sleep 1000 & echo ready; while :; do :; done";
    const limits = asRoot ? ["--memory", "256m"] : [];
    const ports = ["-p", "127.0.0.1::80", "-p", "53/udp"];
    await box.succeed(["run", "-d", "--name", "busy", "-u", "1234", ...ports, ...limits, "busybox", "sh", "-c", program]);
    await box.succeed(["create", "--name", "still", "busybox", "true"]);
    for (const begin = Date.now(); !(await text("logs", "busy")).includes("ready"); await sleep(100))
      assert.ok(Date.now() - begin < 180_000, "it is not ready within three minutes");
  });
  after(async () => {
    await box.varve(["rm", "-f", "busy", "still"]);
  });

  test("top lists the container's processes as this machine's ps shows them, and no others", async () => {
    const lines = (await text("top", "busy")).trimEnd().split("\n");
    assert.equal(lines[0], ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME"].map((title) => title.padEnd(20)).join("") + "CMD");
    const commands = lines.slice(1).map((line) => line.slice(140));
    assert.equal(commands.length, 2);
    assert.ok(commands.some((command) => command.startsWith("sh -c ")));
    assert.ok(commands.includes("sleep 1000"));

    const [titles, ...rows] = (await text("container", "top", "busy", "-eo", "pid,ppid,uid,comm")).trimEnd().split("\n");
    assert.match(titles ?? "", /^PID {17}PPID {16}UID {17}COMMAND$/);
    const table = rows.map((row) => row.split(/ +/));
    const shell = table.find(([, , , command]) => command === "sh");
    assert.equal(table.find(([, , , command]) => command === "sleep")?.[1], shell?.[0]);
    // without root it is one of the user's subordinate ids
    assert.equal(shell?.[2] === "1234", asRoot);
  });

  test("top refuses what ps does, containers that do not run, and names that are none", async () => {
    assert.match(
      await refused("top", "busy", "-o", "nonsense"),
      /^ERROR: ps: error: unknown user-defined format specifier "nonsense" \[\w+\]\n$/,
    );
    assert.match(await refused("top", "busy", "-o", "comm"), /Couldn't find PID field in ps output/);
    assert.match(await refused("top", "still"), /container [0-9a-f]{64} is not running/);
    assert.match(await refused("top", "nobody"), /No such container: nobody/);
  });

  test("port tells where ports are published, all or one", async () => {
    const all = await text("port", "busy");
    const [, port] = /^80\/tcp -> 127\.0\.0\.1:(\d+)$/m.exec(all) ?? [];
    assert.ok(port !== undefined, all);
    assert.match(all, /^53\/udp -> 0\.0\.0\.0:\d+$/m);
    assert.equal(await text("port", "busy", "80"), `127.0.0.1:${port}\n`);
    assert.equal(await text("container", "port", "busy", "80/tcp"), `127.0.0.1:${port}\n`);
    assert.match(await refused("port", "busy", "81"), /No public port '81' published for busy/);
    assert.match(await refused("port", "busy", "80/udp"), /No public port '80\/udp' published for busy/);
    assert.match(await refused("port", "nobody"), /No such container: nobody/);
    assert.equal(await text("port", "still"), "");
  });

  test("stats counts processes, memory and time, against the limits that there are", async () => {
    const shown = await text("stats", "--no-stream", "busy", "still", "busy");
    const [heading = "", ...lines] = shown.trimEnd().split("\n");
    assert.match(heading, /^CONTAINER ID {3}NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS$/);
    assert.equal(lines.length, 2);
    assert.match(lines[1] ?? "", /^[0-9a-f]{12} +still +0\.00% +0B \/ 0B +0\.00% +0B \/ 0B +0B \/ 0B +0$/);

    const [document = "", ...more] = (await text("stats", "--no-stream", "--format", "json", "busy")).trimEnd().split("\n");
    assert.deepEqual(more, []);
    const used = JSON.parse(document) as Readonly<Record<string, string>>;
    const fields = ["BlockIO", "CPUPerc", "Container", "ID", "MemPerc", "MemUsage", "Name", "NetIO", "PIDs"];
    assert.deepEqual(Object.keys(used), fields);
    assert.deepEqual([used["Container"], used["Name"], used["PIDs"]], ["busy", "busy", "2"]);
    assert.ok(Number.parseFloat(used["CPUPerc"] ?? "") > 0, document);
    const [, amount, limit] = /^([\d.]+)MiB \/ ([\d.]+\w+)$/.exec(used["MemUsage"] ?? "") ?? [];
    assert.ok(Number(amount) > 28, document);
    // without root there is no limit but the machine's memory
    if (asRoot) assert.equal(limit, "256MiB");
    else assert.match(limit ?? "", /GiB$/);
    assert.match(await refused("stats", "--no-stream", "nobody"), /No such container: nobody/);
  });

  test("stats goes on until whoever looks has seen enough", async () => {
    const terminal = box.terminal(["stats", "busy"]);
    for (const _ of [1, 2, 3]) await terminal.waitFor(/CONTAINER ID[\s\S]*busy/);
    terminal.type("\x03");
    const { code, settings } = await terminal.ended;
    assert.equal(code, 130);
    assert.match(settings, /(?:^|\s)icanon\b/);
  });
});
