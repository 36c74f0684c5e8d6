import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { startWorker, waysToLive } from "./start-worker.ts";
import type { StepRequest } from "./step-worker.ts";
import { isVarveError } from "../../src/errors/index.ts";
import { findRuntime } from "../../src/runtime/index.ts";

const sh = (script: string): StepRequest["process"] => ({ args: ["/bin/sh", "-c", script] });
const nobody = { uid: 5, gid: 6, additionalGids: [7] };

for (const runtime of ["crun", "runc"]) {
  if (!(await isThere(runtime))) continue;
  for (const way of waysToLive()) describe(`a step through ${runtime}, ${way}`, () => steps(runtime, way));
}

async function isThere(runtime: string): Promise<boolean> {
  return await findRuntime({ path: process.env["PATH"] ?? "", preferred: runtime }).then(
    () => true,
    (error: unknown) => !isVarveError(error),
  );
}

function steps(runtime: string, way: "root" | "user namespace"): void {
  const worker = startWorker(way, runtime);
  after(() => worker.end());

  test("R10 the exit code, both streams and every variable are the program's", async () => {
    const step = await worker.ask({ process: { ...sh("echo out; echo err >&2; echo $A; exit 7"), env: ["PATH=/bin", "A=b c"] } });
    assert.deepEqual([step.exitCode, step.out, step.err], [7, "out\nb c\n", "err\n"]);
    assert.deepEqual([step.leakedFds, step.leftState], [[], []]);
  });

  test("R10 user, groups, umask, host name, HOME and cwd are set; the cwd is made for the user", async () => {
    const step = await worker.ask({
      process: { ...sh("id; umask; hostname; pwd; echo $HOME; ls -nd ."), cwd: "/a/b", user: nobody, hostname: "box" },
      inspect: 'stat -c "%a %u:%g" "$ROOT/a" "$ROOT/a/b"',
    });
    const [id, umask, hostname, cwd, home, listing = ""] = step.out.split("\n");
    assert.deepEqual([id, umask, hostname, cwd, home], ["uid=5 gid=6 groups=6,7", "0022", "box", "/a/b", "/"]);
    assert.match(listing, /^drwxr-xr-x +2 5 +6 /);
    assert.equal(step.inspected, "755 5:6\n755 5:6\n");
  });

  test("R10 an empty HOME counts for none, as with runc, and another stays", async () => {
    for (const [given, seen] of [
      ["HOME=", "/"],
      ["HOME=/elsewhere", "/elsewhere"],
    ] as const) {
      const { out } = await worker.ask({ process: { ...sh("env | grep ^HOME="), env: ["PATH=/bin", given], user: nobody } });
      assert.equal(out, `HOME=${seen}\n`);
    }
  });

  test("R10 a step has Docker's 14 capabilities, none inheritable, and a seccomp filter", async () => {
    const { out } = await worker.ask({ process: sh("grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status") });
    assert.deepEqual(
      out
        .trim()
        .split("\n")
        .map((line) => line.split(/\s+/).pop()),
      ["0000000000000000", "00000000a80425fb", "00000000a80425fb", "00000000a80425fb", "0000000000000000", "0", "2"],
    );
    const user = await worker.ask({ process: { ...sh("grep -E '^Cap(Inh|Prm|Amb)' /proc/self/status"), user: nobody } });
    assert.equal(user.out.match(/0{16}/g)?.length, 3);
  });

  test("a program can open /dev/stdout again, also as another user", async () => {
    assert.equal(
      (await worker.ask({ process: { ...sh("echo x > /dev/stdout; echo y > /dev/stderr"), user: nobody } })).out,
      "x\n",
    );
  });

  test("the kernel's own files are hidden or read-only, and no device of the host opens", async () => {
    const step = await worker.ask({
      process: sh(
        "echo x > /proc/sys/kernel/hostname; touch /sys/kernel/x; touch /sys/fs/cgroup/x; cat /proc/keys; ls /proc/acpi /sys/firmware; " +
          "mknod /dev/disk b 254 0 && head -c 1 /dev/disk; mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk; echo fine > /dev/null && echo end",
      ),
    });
    assert.equal(step.out.replaceAll(/\/(proc\/acpi|sys\/firmware):\n\n?/g, ""), "end\n");
    assert.equal(step.err.match(/Operation not permitted/g)?.length, 2);
  });

  test("R10 /dev/shm, ulimits, hosts and resolv.conf are as asked, and the last two leave no trace", async () => {
    const step = await worker.ask({
      prepare: 'touch -d @1000000000.123456789 "$ROOT/etc"',
      process: {
        ...sh("cat /etc/hosts; grep -E 'open files|core' /proc/self/limits; mount | grep /dev/shm; echo x >> /etc/resolv.conf"),
        shmBytes: 1048576,
        extraHosts: [{ host: "db", ip: "10.0.0.1" }],
        ulimits: [{ name: "nofile", soft: 100, hard: 200 }],
      },
      inspect: 'ls "$ROOT/etc"; stat -c %y "$ROOT/etc"',
    });
    assert.match(step.out, /^127\.0\.0\.1\tlocalhost buildkitsandbox\n::1\t.*\n10\.0\.0\.1\tdb\n/);
    assert.match(step.out, /Max open files +100 +200/);
    assert.match(step.out, /size=1024k/);
    assert.match(step.err, /Read-only file system/);
    assert.match(step.inspected, /^passwd\n2001-09-09 01:46:40\.123456789 /);
  });

  test("R07 without a network there is only loopback; the host's has the host's interfaces", async () => {
    const count = async (network: "host" | "none"): Promise<number> =>
      Number((await worker.ask({ process: { ...sh("grep -c : /proc/net/dev"), network } })).out);
    assert.equal(await count("none"), 1 + (await extraLoopbacks()));
    assert.ok((await count("host")) >= 1);
  });

  async function extraLoopbacks(): Promise<number> {
    const { out } = await worker.ask({ process: { ...sh("grep : /proc/net/dev | grep -cv ' lo:'"), network: "none" } });
    return Number(out); // tunl0 and the like, which some kernels put in every network
  }

  test("R11 mounts work, and what was made to hold them goes, with the folders above", async () => {
    const step = await worker.ask({
      prepare: 'mkdir "$OUT/c"; echo hi > "$OUT/f"; ln -s ../run/x/stub "$ROOT/etc/resolv.conf"',
      process: {
        ...sh(
          "cat /run/secrets/x; echo data > /var/cache/a/file; echo > /t/u/v; echo x > /run/secrets/x; grep -c nameserver /etc/resolv.conf",
        ),
        mounts: [
          { type: "bind", source: "$OUT/c", destination: "/var/cache/a", readonly: false },
          { type: "bind", source: "$OUT/f", destination: "/run/secrets/x", readonly: true, flags: ["nodev", "nosuid", "noexec"] },
          { type: "tmpfs", destination: "/t/u", readonly: false, sizeBytes: 1048576 },
        ],
      },
      inspect: 'cat "$OUT/c/file"; ls "$ROOT"',
    });
    assert.match(step.out, /^hi\n/);
    assert.match(step.err, /Read-only file system/);
    assert.equal(step.inspected, "data\nbin\ndev\netc\nproc\nsys\ntmp\n");
  });

  test("R11 CVE-2024-23652 a step that moves a mount's folder away and puts a link there loses nothing of the host", async () => {
    const step = await worker.ask({
      prepare: 'mkdir "$OUT/v"; touch "$OUT/v/keep"; mkdir "$OUT/cache"',
      process: {
        ...sh("mv /var /old; ln -s $OUT /var; mkdir -p $OUT/cache/a"),
        mounts: [{ type: "tmpfs", destination: "/var/cache/a", readonly: false }],
      },
      inspect: 'ls "$OUT" "$OUT/cache"; ls -A "$ROOT/old"',
    });
    assert.equal(step.exitCode, 0);
    assert.match(step.inspected, /cache\nv\n/);
    assert.doesNotMatch(step.inspected, /^a$/m);
  });

  test("CVE-2024-21626 a working directory in /proc is refused, also behind a link", async () => {
    for (const [prepare, cwd] of [
      ["true", "/proc/self/fd/7"],
      ["true", "//./proc//self/fd/7"],
      ['ln -s /proc/self/fd/7 "$ROOT/cwd"', "/cwd"],
      ['ln -s /proc/self/fd "$ROOT/fds"', "/fds/8"],
    ] as const) {
      const step = await worker.ask({ prepare, process: { ...sh("pwd"), cwd } });
      assert.equal(step.error?.code, "RUNTIME_CWD", cwd);
    }
    // What reads as a path into a mount leads elsewhere, where a link stands before "..".
    const upwards = await worker.ask({
      prepare: 'mkdir -p "$ROOT/proc/self/fd/8" "$ROOT/proc/self/fd/m"; ln -s /proc/self/fd "$ROOT/fds"; mkdir "$ROOT/m"',
      process: { ...sh("pwd"), cwd: "/fds/../fd/../../../m/../proc/self/fd/m" },
    });
    assert.equal(upwards.error?.code, "RUNTIME_CWD");
    const mounted = await worker.ask({
      prepare: 'mkdir -p "$ROOT/proc/self/fd/8" "$ROOT/proc/self/fd/m"; ln -s /proc/self/fd "$ROOT/fds"',
      process: {
        ...sh("pwd"),
        cwd: "/fds/8/../m",
        mounts: [{ type: "tmpfs", destination: "/fds/m", readonly: false }],
      },
    });
    assert.equal(mounted.error?.code, "RUNTIME_CWD");
  });

  test("a working directory that is a file or a loop is refused; a link that leads nowhere is given a folder", async () => {
    for (const cwd of ["/etc/passwd", "/etc/passwd/x", "/loop"]) {
      const step = await worker.ask({ prepare: 'ln -s loop "$ROOT/loop"', process: { ...sh("pwd"), cwd } });
      assert.equal(step.error?.code, "RUNTIME_CWD", cwd);
    }
    const step = await worker.ask({ prepare: 'ln -s ../../../srv/app "$ROOT/app"', process: { ...sh("pwd -P"), cwd: "/app/x" } });
    assert.equal(step.out, "/srv/app/x\n");
  });

  test("an image whose /proc, /dev or /sys is a link out of it is refused, and nothing is written there", async () => {
    const host = mkdtempSync(join(tmpdir(), "varve-host-"));
    for (const name of ["proc", "dev", "sys"]) {
      const step = await worker.ask({ prepare: `ln -s ${host} "$ROOT/${name}"`, process: sh("true") });
      assert.equal(step.error?.code, "RUNTIME_MOUNT_POINT");
    }
    const etc = await worker.ask({ prepare: `rm -r "$ROOT/etc"; ln -s ${host} "$ROOT/etc"`, process: sh("cat /etc/hosts") });
    assert.equal(etc.exitCode, 0);
    const linked = await worker.ask({
      prepare: `mkdir "$ROOT/dev"; ln -s ${host}/x "$ROOT/dev/null"`,
      process: sh("echo x > /dev/null"),
    });
    assert.equal(linked.exitCode, 0);
    assert.deepEqual(readdirSync(host), []);
    rmSync(host, { recursive: true });
  });

  test("a program that cannot be started is told apart, with BuildKit's exit codes", async () => {
    const cases = [
      ["/nope", "true", 1, "no such file or directory"],
      ["nope", "true", 1, "executable file not found in $PATH"],
      ["/etc/passwd", "true", 1, "permission denied"],
      ["/etc", "true", 1, "permission denied"],
      ["/bad", 'printf "\\177ELF junk" > "$ROOT/bad"; chmod 755 "$ROOT/bad"', 255, "exec format error"],
    ] as const;
    for (const [program, prepare, exitCode, reason] of cases) {
      const step = await worker.ask({ prepare, process: { args: [program] } });
      assert.deepEqual([step.exitCode, step.notStarted], [exitCode, `exec: "${program}": ${reason}`]);
      assert.notEqual(step.err, "");
    }
    const own = await worker.ask({ process: sh("exit 127") });
    assert.deepEqual([own.exitCode, own.notStarted], [127, undefined]);
  });

  test("a process in the background ends with its step", async () => {
    const step = await worker.ask({ process: sh("sleep 1000 & echo started") });
    assert.deepEqual([step.exitCode, step.out], [0, "started\n"]);
  });

  test("50 MB of output arrive", async () => {
    const step = await worker.ask({ process: sh("head -c 50000000 /dev/zero"), countOnly: true });
    assert.equal(step.outBytes, 50_000_000);
  });

  test("an abort kills a step that ignores SIGTERM, lets one that handles it end, and kills that after its grace", async () => {
    const loop = "echo a; while :; do sleep 0.05; done";
    const graceMs = 500_000; // what waited for it would not be ended in time
    const plain = await worker.ask({ process: sh("echo a; sleep 1000 & sleep 1000"), abortAfterMs: 20, graceMs });
    assert.equal(plain.error?.code, "CANCELED");
    assert.ok(plain.stopMs < graceMs);
    const polite = await worker.ask({ process: sh(`trap 'echo bye; exit 5' TERM; ${loop}`), abortAfterMs: 50, graceMs });
    assert.deepEqual([polite.error?.code, polite.out], ["CANCELED", "a\nbye\n"]);
    const stubborn = await worker.ask({ process: sh(`trap 'echo no' TERM; ${loop}`), abortAfterMs: 50, graceMs: 3000 });
    assert.deepEqual([stubborn.error?.code, stubborn.out], ["CANCELED", "a\nno\n"]);
    assert.deepEqual([stubborn.leakedFds, stubborn.leftState], [[], []]);
  });

  test("a read-only root is one", async () => {
    const step = await worker.ask({ process: { ...sh("touch /x"), readonlyRoot: true } });
    assert.match(step.err, /Read-only file system/);
  });

  if (way === "root") {
    test("no cgroup is left of steps that ended or were aborted", async () => {
      const print = "cat /proc/self/cgroup";
      const ended = await worker.ask({ process: sh(print) });
      const aborted = await worker.ask({ process: sh(`${print}; sleep 1000`), abortAfterMs: 20 });
      for (const { out } of [ended, aborted]) {
        const name = /\/varve\/(run-\w+)/.exec(out)?.[1] ?? "no cgroup";
        assert.match(name, /^run-/);
        const left = readdirSync("/sys/fs/cgroup").filter((tree) => existsSync(`/sys/fs/cgroup/${tree}/varve/${name}`));
        assert.deepEqual([left, existsSync(`/sys/fs/cgroup/varve/${name}`)], [[], false]);
      }
    });
  }
}
