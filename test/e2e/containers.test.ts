/** The life of containers: created, started, stopped, restarted, removed, looked at; what keeps images; what health says. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { describeEachWay } from "../kit/each-way.ts";

describeEachWay("containers", (box) => {
  const text = async (...args: string[]): Promise<string> => (await box.succeed(args)).stdout.toString().trim();
  const ask = async (name: string, template: string): Promise<string> => await text("inspect", "-f", template, name);
  /** Waits for a condition, with a limit far beyond what it takes. */
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (const begin = Date.now(); !(await holds()); await sleep(100)) assert.ok(Date.now() - begin < 120_000, what);
  };
  const create = async (name: string, ...words: string[]) => await text("create", "--network", "none", "--name", name, ...words);
  after(async () => {
    const left = (await box.varve(["ps", "-aq"])).stdout.toString().split("\n").filter(Boolean);
    if (left.length > 0) await box.varve(["rm", "-fv", ...left]);
  });

  test("a container is created, started, seen, stopped and removed, and each command says what Docker says", async () => {
    const id = await create("life", "-e", "A=1", "-w", "/made/here", "busybox", "sh", "-c", "echo $A; pwd; exec sleep 1000");
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal(await ask("life", "{{.State.Status}} {{.Path}} {{.State.Running}}"), "created sh false");
    assert.equal(await text("start", "life"), "life");
    assert.match(
      await text("ps", "--filter", "name=^life$"),
      new RegExp(`^CONTAINER ID +IMAGE.*\\n${id.slice(0, 12)} +busybox +"sh -c 'echo|^CONTAINER ID`),
    );
    assert.match(
      await text("ps", "--filter", "name=^life$", "--format", "{{.Status}} {{.Names}} {{.Image}}"),
      /^Up .* life busybox$/,
    );
    await until("it wrote", async () => (await text("logs", "life")) === "1\n/made/here");
    const pid = Number(await ask("life", "{{.State.Pid}}"));
    const command = (): string => readFileSync(`/proc/${pid}/cmdline`, "utf8");
    await until("it sleeps", async () => await Promise.resolve(command().startsWith("sleep")));
    const refused = await box.varve(["rm", "life"]);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /cannot remove container "life": container is running: stop the container before removing or force remove/,
    );
    assert.equal(await text("stop", "-t", "0", id.slice(0, 10)), id.slice(0, 10));
    assert.equal(await ask("life", "{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}"), "exited 137 0");
    assert.equal(existsSync(`/proc/${pid}`), false);
    assert.equal(await text("rm", "life"), "life");
    const gone = await box.varve(["start", "life"]);
    assert.deepEqual([gone.code, /No such container: life/.test(gone.stderr)], [1, true]);
    assert.deepEqual(readdirSync(box.path("store/containers")), []);
  });

  test("names: invented, taken, wrong, changed", async () => {
    const id = await text("create", "busybox");
    assert.match(await ask(id, "{{.Name}}"), /^\/[a-z]+_[a-z]+\d*$/);
    await text("rename", id, "second");
    const taken = await box.varve(["create", "--name", "second", "busybox"]);
    assert.match(taken.stderr, new RegExp(`Conflict. The container name "/second" is already in use by container "${id}".`));
    const wrong = await box.varve(["create", "--name", "a/b", "busybox"]);
    assert.match(wrong.stderr, /Invalid container name \(a\/b\), only \[a-zA-Z0-9\]\[a-zA-Z0-9_.-\] are allowed/);
    await text("rm", "second");
  });

  test("what a container wrote is there when it starts again, and its exit code is that of its last run", async () => {
    await create("again", "busybox", "sh", "-c", 'echo x >> /count; exit "$(wc -l < /count)"');
    for (const code of ["1", "2", "3"]) {
      await text("start", "again");
      assert.equal(await text("wait", "again"), code);
    }
    assert.equal(await ask("again", "{{.State.ExitCode}} {{.RestartCount}}"), "3 0");
    await text("rm", "again");
  });

  test("policies start a container again as often as they say, and a stop ends that", async () => {
    await create("thrice", "--restart", "on-failure:2", "busybox", "sh", "-c", "echo run; exit 7");
    await text("start", "thrice");
    await until("it gave up", async () => (await ask("thrice", "{{.State.Status}} {{.RestartCount}}")) === "exited 2");
    assert.equal(await text("logs", "thrice"), "run\nrun\nrun");
    await create("always", "--restart", "always", "busybox", "true");
    await text("start", "always");
    await until("it came back", async () => Number(await ask("always", "{{.RestartCount}}")) > 0);
    await text("stop", "always");
    assert.equal(await ask("always", "{{.State.Status}}"), "exited");
    await text("rm", "thrice", "always");
  });

  test("health is tried, told in ps, and is what the last tries say", async () => {
    const flags = ["--health-cmd", "test -e /well", "--health-interval", "200ms", "--health-retries", "2"];
    await create("patient", ...flags, "busybox", "sleep", "1000");
    await text("start", "patient");
    await until("unhealthy", async () => (await ask("patient", "{{.State.Health.Status}}")) === "unhealthy");
    assert.match(await text("ps", "--filter", "health=unhealthy", "--format", "{{.Status}}"), /\(unhealthy\)$/);
    await text("exec", "patient", "touch", "/well");
    await until("healthy", async () => (await ask("patient", "{{.State.Health.Status}}")) === "healthy");
    await text("rm", "-f", "patient");
  });

  test("an anonymous volume takes what the image has at its place, and goes with its container", async () => {
    await create("seeded", "-v", "/etc", "busybox", "ls", "/etc/passwd");
    await text("start", "seeded");
    assert.equal(await text("wait", "seeded"), "0");
    const name = await ask("seeded", "{{(index .Mounts 0).Name}}");
    assert.ok(existsSync(box.path("store/volumes", name, "_data/passwd")));
    await text("rm", "-v", "seeded");
    assert.equal(existsSync(box.path("store/volumes", name)), false);
  });

  test("a new volume takes what the image has at its place once, also where several containers begin with it at the same time", async () => {
    // so much that one is still at it when the next one begins
    const make = "mkdir /many; i=0; while [ $i -lt 3000 ]; do echo $i > /many/$i; i=$((i + 1)); done";
    await create("maker", "busybox", "sh", "-c", make);
    await text("start", "maker");
    assert.equal(await text("wait", "maker"), "0");
    await text("commit", "maker", "many:1");
    const count = async () =>
      await text("run", "--rm", "--network", "none", "-v", "fresh:/many", "many:1", "sh", "-c", "ls /many | wc -l");
    assert.deepEqual(await Promise.all([count(), count(), count()]), ["3000", "3000", "3000"]);
    await text("rm", "maker");
    await text("volume", "rm", "fresh");
    await text("rmi", "many:1");
  });

  test("an image with containers stays, whatever prunes", async () => {
    await text("tag", "busybox", "kept:1");
    await create("holds", "kept:1", "echo", "still here");
    for (const name of ["busybox", "kept:1"]) await box.varve(["rmi", name]);
    const refused = await box.varve(["rmi", "kept:1"]);
    assert.match(refused.stderr, /\(must force\) - container [0-9a-f]{12} is using its referenced image [0-9a-f]{12}/);
    await text("image", "prune", "-af");
    await text("builder", "prune", "-af");
    await text("start", "holds");
    assert.equal(await text("wait", "holds"), "0");
    assert.equal(await text("logs", "holds"), "still here");
    await text("rm", "holds");
  });

  test("prune removes what rests and no more", async () => {
    const resting = await create("resting", "--label", "a=b", "busybox", "true");
    const other = await create("other", "busybox", "true");
    await create("runs", "--label", "a=b", "busybox", "sleep", "1000");
    await text("start", "runs");
    assert.match(
      await text("container", "prune", "-f", "--filter", "label=a=b"),
      new RegExp(`^Deleted Containers:\n${resting}\n\nTotal`),
    );
    assert.deepEqual((await text("ps", "-aq", "--no-trunc", "--filter", "name=other")).split("\n"), [other]);
    await text("rm", "-f", "runs", "other");
  });

  test("what shares the namespaces of another container sees its host name, and needs it to run", async () => {
    await create("host", "--hostname", "the-host", "busybox", "sleep", "1000");
    await text("create", "--name", "guest", "--network", "container:host", "--pid", "container:host", "busybox", "ps");
    const refused = await box.varve(["start", "guest"]);
    assert.match(refused.stderr, /cannot join network namespace of a non running container/);
    await text("start", "host", "guest");
    await text("wait", "guest");
    assert.match(await text("logs", "guest"), /sleep 1000/);
    await text("rm", "-f", "guest", "host");
  });

  if (box.way.name === "as root") {
    test("as root a container is paused by its cgroup, and one without memory is told from others", async () => {
      await create("still", "busybox", "sleep", "1000");
      await text("start", "still");
      await text("pause", "still");
      assert.match(await text("ps", "--format", "{{.Status}}"), /\(Paused\)$/);
      assert.match((await box.varve(["pause", "still"])).stderr, /is already paused/);
      await text("unpause", "still");
      await text("rm", "-f", "still");
      await create("hungry", "-m", "20m", "busybox", "sh", "-c", "head -c 200m /dev/zero | tail");
      await text("start", "hungry");
      await text("wait", "hungry");
      assert.equal(await ask("hungry", "{{.State.OOMKilled}}"), "true");
      await text("rm", "hungry");
    });
  }
});
