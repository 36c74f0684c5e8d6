/**
 * The flags of `run`, each by what is seen inside. The comparison with a real Docker Engine, flag by flag, is
 * test/conformance/run-flags.ts; here many flags share a container.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";
import type { Sandbox } from "../kit/sandbox.ts";
import { hasProgram } from "../kit/ways.ts";

/** What a container cannot have without root, each with the words of its refusal. */
const notWithoutRoot: readonly (readonly [flags: readonly string[], words: RegExp])[] = [
  [["--memory", "64m"], /--memory cannot be enforced without root/],
  [["--memory-reservation", "64m"], /--memory-reservation cannot be enforced without root/],
  [["--cpus", "0.5"], /--cpus cannot be enforced without root/],
  [["--cpu-shares", "512"], /--cpu-shares cannot be enforced without root/],
  [["--cpu-quota", "50000"], /--cpu-quota cannot be enforced without root/],
  [["--cpuset-cpus", "0"], /--cpuset-cpus cannot be enforced without root/],
  [["--pids-limit", "20"], /--pids-limit cannot be enforced without root/],
  [["--cgroup-parent", "/mine"], /--cgroup-parent cannot be enforced without root/],
  [["--device-cgroup-rule", "c 1:11 rwm"], /--device-cgroup-rule cannot be enforced without root/],
  [["--device", "/dev/zero:/dev/nought:r"], /access r cannot be enforced without root/],
  [["--oom-score-adj", "-500"], /--oom-score-adj below 0 cannot be enforced without root/],
  [["--ulimit", "nofile=99999999"], /above what this user may have/],
];

const isFirstCgroups = !existsSync("/sys/fs/cgroup/cgroup.controllers");

/** Runs one container; the lines that it wrote. */
async function observe(box: Sandbox, flags: readonly string[], script: string): Promise<readonly string[]> {
  const { stdout } = await box.succeed(["run", "--rm", ...flags, "busybox", "sh", "-c", script]);
  return String(stdout).trimEnd().split("\n");
}

async function refusal(box: Sandbox, flags: readonly string[]): Promise<string> {
  const { code, stderr } = await box.varve(["run", "--rm", "--network", "none", ...flags, "busybox", "true"]);
  assert.equal(code, 125, `${flags.join(" ")}: ${stderr}`);
  return stderr;
}

describeEachWay("flags of run", (box) => {
  const none = ["--network", "none"];

  test("who, where and with what: user, groups, folder, environment, host name", async () => {
    const files = box.write("files", { env: "# comment\nONE=1\nCLIENT\n" });
    const flags = [
      "-u",
      "nobody",
      "--group-add",
      "777",
      "-w",
      "/made/here",
      "-e",
      "A=b",
      "--env-file",
      `${files}/env`,
      "-h",
      "box",
      "--domainname",
      "example",
    ];
    const script =
      "id; pwd; stat -c %u /made/here; echo $A$ONE$CLIENT; hostname; cat /proc/sys/kernel/domainname; grep CapEff /proc/self/status";
    const { stdout } = await box.succeed(["run", "--rm", ...none, ...flags, "busybox", "sh", "-c", script], {
      env: { CLIENT: "c" },
    });
    const [id = "", ...rest] = String(stdout).trimEnd().split("\n");
    assert.match(id, /uid=\d+\(nobody\).*777/);
    assert.deepEqual(rest, ["/made/here", "0", "b1c", "box", "example", "CapEff:\t0000000000000000"]);
  });

  test("security: capabilities, no new privileges, seccomp, a read-only root", async () => {
    const status = "grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | cut -f2";
    assert.deepEqual(await observe(box, none, status), ["00000000a80425fb", "0", "2"]);
    const flags = [
      "--cap-drop",
      "all",
      "--cap-add",
      "kill",
      "--security-opt",
      "no-new-privileges",
      "--read-only",
      "--tmpfs",
      "/t:size=1m",
    ];
    const seen = await observe(
      box,
      [...none, ...flags],
      `${status}; touch /x 2>/dev/null || echo refused; touch /t/x && df -k /t | tail -n 1`,
    );
    assert.deepEqual(seen.slice(0, 4), ["0000000000000020", "1", "2", "refused"]);
    assert.match(seen[4] ?? "", /\b1024\b/);
    const open = await observe(box, [...none, "--privileged"], `${status}; grep -c ' /proc/' /proc/self/mountinfo || true`);
    assert.deepEqual(open.slice(1), ["0", "0", "0"]);
  });

  test("mounts: binds, volumes, tmpfs, /dev/shm, each as it was asked for", async () => {
    const data = box.write("data", { file: "from here\n" });
    const flags = [
      "-v",
      `${data}:/data:ro`,
      "-v",
      `${data}:/both`,
      "-v",
      "/anonymous",
      "-v",
      `${data}/file:/etc/motd:ro`,
      "--shm-size",
      "8m",
      "--mount",
      "type=tmpfs,target=/t,tmpfs-size=2m,tmpfs-mode=0700",
    ];
    const script =
      "cat /data/file /etc/motd; touch /data/x 2>/dev/null || echo refused; touch /both/new && echo written; touch /anonymous/x && echo kept; stat -c %a /t; df -k /t /dev/shm | awk 'NR > 1 { print $2 }'";
    assert.deepEqual(await observe(box, [...none, ...flags], script), [
      "from here",
      "from here",
      "refused",
      "written",
      "kept",
      "700",
      "2048",
      "8192",
    ]);
    assert.ok(existsSync(`${data}/new`));
  });

  test("limits of processes, devices, sysctls, hosts, namespaces", async () => {
    const flags = [
      "--ulimit",
      "nofile=100:200",
      "--device",
      "/dev/zero:/dev/nought",
      "--sysctl",
      "kernel.msgmax=9000",
      "--add-host",
      "db:10.9.8.7",
      "--oom-score-adj",
      "300",
      "--pid",
      "host",
    ];
    const script =
      "ulimit -Sn; ulimit -Hn; head -c3 /dev/nought | wc -c; grep -c 10.9.8.7 /etc/hosts; cat /proc/self/oom_score_adj; [ $$ -gt 1 ] && echo shared";
    const seen = await observe(box, [...none, ...flags], script);
    assert.deepEqual(seen, ["100", "200", "3", "1", "300", "shared"]);
  });

  test("--init puts an init before the program, or says what is missing", async () => {
    const hasInit = ["docker-init", "tini-static", "tini", "catatonit"].some(hasProgram);
    if (!hasInit) return assert.match(await refusal(box, ["--init"]), /neither tini nor catatonit/);
    const seen = await observe(
      box,
      [...none, "--init"],
      "tr '\\0' ' ' </proc/1/cmdline | cut -d' ' -f1; [ $$ -gt 1 ] && echo below",
    );
    assert.deepEqual(seen, ["/sbin/docker-init", "below"]);
    return undefined;
  });

  test("exit codes: of the program, and of what cannot be started", async () => {
    const code = async (...command: string[]) => (await box.varve(["run", "--rm", ...none, "busybox", ...command])).code;
    assert.equal(await code("sh", "-c", "exit 7"), 7);
    assert.equal(await code("/nowhere"), 127);
    assert.equal(await code("/etc"), 126);
    assert.match(await refusal(box, ["--memory-swap", "64m"]), /You should always set the Memory limit/);
    assert.match(
      await refusal(box, ["-u", "nobody-knows"]),
      /unable to find user nobody-knows: no matching entries in passwd file/,
    );
  });

  test("limits of cgroups are enforced, or refused by name without root", async () => {
    if (box.way.name === "as root") {
      const flags = ["-m", "64m", "--cpus", "0.5", "-c", "512", "--pids-limit", "20", "--cpuset-cpus", "0"];
      const files = isFirstCgroups
        ? "memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.shares pids/pids.max cpuset/cpuset.cpus"
        : "memory.max cpu.max pids.max cpuset.cpus";
      const seen = await observe(box, [...none, ...flags], `cd /sys/fs/cgroup; cat ${files}`);
      const [memory, cpu, ...rest] = seen;
      assert.equal(memory, "67108864");
      assert.match(cpu ?? "", /^50000\b/);
      assert.deepEqual(rest, isFirstCgroups ? ["512", "20", "0"] : ["20", "0"]);
      return;
    }
    for (const [flags, words] of notWithoutRoot) assert.match(await refusal(box, flags), words);
  });

  test("what Varve has not is refused by name before anything is made", async () => {
    for (const [flag, value] of [
      ["--gpus", "all"],
      ["--link", "a:b"],
      ["--log-driver", "syslog"],
    ] as const)
      assert.match(await refusal(box, [flag, value]), /CONTAINER_UNSUPPORTED/);
    assert.equal(String((await box.succeed(["ps", "-aq"])).stdout), "");
  });
});
