/** What `docker run FLAGS` and `varve run FLAGS` are tried with, and what is looked at inside. */

export interface FlagCase {
  /** Before the image. `@WORK` is a folder of the run on this machine, `@ID` a name of its own. */
  readonly flags: readonly string[];
  /** A command of the container's shell; what it writes is compared, line by line. */
  readonly observe?: string;
  /** Instead of `sh -c observe`: the whole command; empty: the image's. */
  readonly command?: readonly string[];
  readonly image?: string;
  readonly stdin?: string;
  /** What is only in the client or left behind: run on this machine afterwards, `@ENGINE` is `docker` or `varve`. */
  readonly afterwards?: string;
  /** Varve refuses it, with these words. */
  readonly refused?: RegExp;
  /** The engine must see this machine's files, or its network. */
  readonly needs?: "files" | "network";
  /** What differs by nature, and what it is written as. */
  readonly alike?: readonly (readonly [pattern: RegExp, replacement: string])[];
}

const status = (...names: string[]): string => `grep -E '^(${names.join("|")}):' /proc/self/status`;
const mountOf = (path: string): string =>
  `awk '$5 == "${path}" { for (i = 7; $i != "-"; i++); print $5, $6, $(i + 1), $(i + 3) }' /proc/self/mountinfo`;
/** A limit by its file of cgroups v1, or of v2. */
const cgroup = (first: string, second: string): string =>
  `cd /sys/fs/cgroup; if [ -e ${first} ]; then cat ${first}; else cat ${second}; fi`;
const simple = (flags: readonly string[], observe: string, more: Partial<FlagCase> = {}): FlagCase => ({
  flags,
  observe,
  ...more,
});
const refused = (flags: readonly string[], words: RegExp): FlagCase => ({ flags, observe: "true", refused: words });
const limits = "cut -c1-66 /proc/self/limits";
const octets = [/\b(?:10|172|192)\.\d+\.\d+\.\d+\b/g, "ADDRESS"] as const;

export const flagCases: readonly FlagCase[] = [
  // no flag at all
  simple([], status("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Groups", "Uid", "Gid")),
  simple([], "env | sort | grep -v HOSTNAME"),
  simple(
    [],
    'cat /proc/mounts | awk \'$2 !~ "^/(sys/|etc/|proc/)" && $2 != "/" { print $2, $3, $4 }\' | sort; awk \'$2 ~ "^/(proc|sys)/" && $2 !~ "cgroup/" { print $2 }\' /proc/mounts | sort',
  ),
  simple([], "ls -l /dev | awk '{ print $1, $3, $4, $5, $6, $NF }' | grep -v total", { alike: [[/^.*\/proc\/kcore\n/m, ""]] }),
  simple([], limits),
  simple([], "cat /etc/hosts | sed '$d'"),
  simple(
    [],
    "cat /proc/self/oom_score_adj; umask; pwd; id; ls -ld /etc/hosts /etc/hostname /etc/resolv.conf | awk '{ print $1, $3, $4 }'",
  ),
  simple([], "cat /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start", { needs: "network" }),
  simple(
    [],
    "for f in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts /sys/firmware; do (head -c1 $f | wc -c; ls -A $f) 2>/dev/null; done",
  ),
  simple([], "ls /proc/1/fd | wc -l; tr '\\0' ' ' </proc/1/cmdline | cut -c1-6"),
  simple(
    [],
    "mount -t tmpfs t /mnt; unshare -U true; chroot / true; echo $?; mknod /x c 1 3; echo $?; echo 1 >/proc/sys/kernel/hostname; echo $?",
  ),
  // exit codes
  simple([], "exit 3"),
  simple([], "kill -9 $$"),
  { flags: [], command: ["/nowhere"] },
  { flags: [], command: ["/etc"] },
  { flags: [], command: ["nowhere"] },
  // input and output
  { flags: ["-i"], observe: "cat; echo done >&2", stdin: "hello\n" },
  simple(["-t"], "tty; echo $TERM; stat -c '%F %a' /dev/console; ls -l /dev/pts | wc -l"),
  { flags: ["-a", "stderr"], observe: "echo out; echo err >&2" },
  { flags: ["--sig-proxy=false"], observe: "echo yes" },
  { flags: ["--detach-keys", "ctrl-x"], observe: "echo yes" },
  {
    flags: ["-d", "--name", "@ID"],
    observe: "sleep 0.1; exit 4",
    afterwards: "@ENGINE wait @ID; @ENGINE rm @ID",
    alike: [[/\b[0-9a-f]{64}\b/g, "ID"]],
  },
  { flags: ["--name", "@ID"], observe: "true", afterwards: "@ENGINE rm @ID" },
  {
    flags: ["--cidfile", "@WORK/@ID"],
    observe: "hostname | wc -c",
    afterwards: "wc -c <@WORK/@ID; @ENGINE rm $(cat @WORK/@ID) | wc -c",
  },
  { flags: ["-q", "--pull", "missing"], observe: "true" },
  { flags: ["--pull", "never"], image: "varve-base:none", observe: "true", alike: [[/.*/gs, ""]] },
  // environment
  simple(["-e", "A=1", "--env", "B", "-e", "PATH=/bin", "-e", "NOTHING"], "env | sort | grep -v HOSTNAME"),
  simple(["--env-file", "@WORK/env"], "env | sort | grep -v HOSTNAME"),
  simple([], "env | sort; pwd; id", {
    image: "varve-base:full",
    command: ["env; pwd; id"],
    alike: [[/HOSTNAME=\w+/, "HOSTNAME"]],
  }),
  // who, where, what
  simple(["-u", "app"], `id; env | grep HOME; ${status("CapPrm", "CapEff", "CapBnd", "Groups")}`),
  simple(["-u", "1234"], "id; echo $HOME"),
  simple(["-u", "1234:5"], "id"),
  simple(["--user", "app:root"], "id; stat -c %u:%g ."),
  simple(["--group-add", "apps", "--group-add", "777"], "id -G"),
  refusedByBoth(["-u", "nobody-knows"]),
  refusedByBoth(["--group-add", "nobody-knows"]),
  simple(["-w", "/made/here"], "pwd; stat -c '%a %u' ."),
  simple(["-w", "/made/here", "-u", "app"], "pwd; stat -c '%a %u' ."),
  { flags: ["--entrypoint", "echo"], command: ["a", "b"] },
  { flags: ["--entrypoint", ""], image: "varve-base:full", command: ["/bin/sh", "-c", "echo own"] },
  simple(["-h", "box.example"], "hostname; echo $HOSTNAME; cat /etc/hostname; tail -n 1 /etc/hosts", { alike: [octets] }),
  simple(
    ["--hostname", "box", "--domainname", "example"],
    "cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname; cat /etc/hostname",
  ),
  {
    flags: ["--label", "a=b", "-l", "c", "--label-file", "@WORK/labels", "--annotation", "x=y", "--name", "@ID"],
    observe: "true",
    afterwards: "@ENGINE inspect -f '{{ json .Config.Labels }}' @ID; @ENGINE rm @ID",
  },
  simple(
    ["--init"],
    "tr '\\0' ' ' </proc/1/cmdline | cut -d' ' -f1,2; ls -l /sbin/docker-init | cut -c1-5; [ $$ -gt 1 ] && echo below",
  ),
  simple(["--read-only"], "touch /x; touch /dev/shm/y && touch /etc/hosts; mount | grep -E ' / ' | grep -o '(r[ow]'", {
    alike: [[/^touch: .*$/gm, "refused"]],
  }),
  simple(["--platform", "linux/amd64"], "uname -m"),
  { flags: ["--rm", "--name", "@ID"], observe: "true", afterwards: "@ENGINE ps -aq --filter name=@ID | wc -l" },
  {
    flags: ["--stop-signal", "USR1", "--stop-timeout", "5", "-d", "--name", "@ID"],
    observe: "trap 'exit 42' USR1; while :; do sleep 0.1; done",
    afterwards: "sleep 1; @ENGINE stop @ID; @ENGINE wait @ID; @ENGINE rm @ID",
    alike: [[/\b[0-9a-f]{64}\b/g, "ID"]],
  },
  {
    flags: ["--restart", "on-failure:1", "-d", "--name", "@ID"],
    observe: "exit 3",
    afterwards:
      "for i in 1 2 3 4 5 6 7 8; do sleep 1; [ $(@ENGINE inspect -f '{{ .RestartCount }}{{ .State.Status }}' @ID) != 1exited ] || break; done; @ENGINE inspect -f '{{ .RestartCount }} {{ .State.Status }} {{ .State.ExitCode }}' @ID; @ENGINE rm @ID",
    alike: [[/\b[0-9a-f]{64}\b/g, "ID"]],
  },
  {
    flags: [
      "--health-cmd",
      "true",
      "--health-interval",
      "1s",
      "--health-timeout",
      "2s",
      "--health-retries",
      "4",
      "--health-start-period",
      "3s",
      "--health-start-interval",
      "2s",
      "--name",
      "@ID",
    ],
    observe: "true",
    afterwards: "@ENGINE inspect -f '{{ json .Config.Healthcheck }}' @ID; @ENGINE rm @ID",
  },
  {
    flags: ["--no-healthcheck", "--name", "@ID"],
    image: "varve-base:full",
    command: ["true"],
    afterwards: "@ENGINE inspect -f '{{ json .Config.Healthcheck.Test }}' @ID; @ENGINE rm -v @ID",
  },
  {
    flags: ["--log-driver", "none", "--name", "@ID"],
    observe: "echo yes",
    afterwards: "@ENGINE logs @ID 2>/dev/null; @ENGINE rm @ID",
  },
  {
    flags: ["--log-opt", "max-size=1m", "--log-opt", "max-file=1", "--name", "@ID"],
    observe: "echo yes",
    afterwards: "@ENGINE logs @ID; @ENGINE rm @ID",
  },
  {
    flags: ["--log-opt", "max-size=1m", "--log-opt", "max-file=3", "--name", "@ID"],
    observe: "echo yes",
    afterwards: "@ENGINE logs @ID; @ENGINE rm @ID",
  },
  // security
  simple(["--cap-add", "NET_ADMIN", "--cap-drop", "CHOWN"], status("CapEff", "CapBnd", "CapPrm")),
  simple(["--cap-drop", "ALL"], status("CapEff", "CapBnd")),
  simple(["--cap-drop=all", "--cap-add", "cap_kill"], status("CapEff", "CapBnd")),
  simple(["--cap-add", "ALL"], status("CapEff", "CapBnd", "Seccomp")),
  refusedByBoth(["--cap-add", "FOO"]),
  simple(
    ["--privileged"],
    `${status("CapEff", "CapBnd", "CapInh", "NoNewPrivs", "Seccomp")}; mount | grep -E ' /(proc|sys)/?[a-z]* ' | sort; ls /dev | grep -vE '^(console|core|fuse)$'`,
    { alike: [[/\bcgroup on .*\n/g, ""]] },
  ),
  simple(["--security-opt", "no-new-privileges"], status("NoNewPrivs", "Seccomp")),
  simple(["--security-opt", "no-new-privileges:true"], status("NoNewPrivs")),
  simple(["--security-opt", "seccomp=unconfined"], `${status("Seccomp")}; unshare -U true && echo allowed`),
  simple(["--security-opt", "seccomp=@WORK/seccomp.json"], `${status("Seccomp")}; mkdir /x; echo $?`, {
    alike: [[/mkdir: .*/, "refused"]],
  }),
  simple(["--security-opt", "systempaths=unconfined"], "grep -c ' /proc/' /proc/self/mountinfo"),
  simple(["--security-opt", "apparmor=unconfined", "--security-opt", "label=disable"], "echo yes"),
  refusedByBoth(["--security-opt", "foo=bar"]),
  simple(["--userns", "host"], "cat /proc/self/uid_map"),
  // namespaces
  simple(["--pid", "host"], "[ $(ls -d /proc/[0-9]* | wc -l) -gt 20 ] && echo many"),
  simple(["--ipc", "host"], mountOf("/dev/shm").replace(" > ", ""), { alike: [[/size=\S+/g, "size"]] }),
  simple(["--ipc", "none"], "ls -d /dev/shm; grep -c ' /dev/shm ' /proc/mounts"),
  simple(["--ipc", "shareable"], mountOf("/dev/shm")),
  simple(["--uts", "host"], "hostname"),
  simple(["--cgroupns", "host"], "cut -d: -f2 /proc/self/cgroup | sort"),
  simple(["--cgroupns", "private"], "cut -d: -f3 /proc/self/cgroup | sort -u"),
  simple(["--cgroup-parent", "/varve-conformance"], "grep -o '/varve-conformance/' /proc/self/cgroup | sort -u"),
  // mounts
  simple(
    ["-v", "@WORK/data:/data"],
    `cat /data/file; touch /data/new && rm /data/new; ${mountOf("/data").replace("$(i + 3)", '""')}`,
    { needs: "files" },
  ),
  simple(["-v", "@WORK/data:/data:ro"], `touch /data/new; ${mountOf("/data").replace("$(i + 3)", '""')}`, { needs: "files" }),
  simple(["-v", "@WORK/data/file:/etc/motd:ro,z"], "cat /etc/motd", { needs: "files" }),
  simple(["-v", "@WORK/made/@ID:/data"], "stat -c %a:%u /data", { needs: "files" }),
  simple(["-v", "/etc/app"], "stat -c %a:%u /etc/app; touch /etc/app/x && echo yes"),
  {
    flags: ["-v", "@ID:/home/app", "-v", "@ID-2:/home/other:nocopy"],
    observe: "ls -A /home/app | wc -l; stat -c %a:%u /home/app; ls /home/other",
    afterwards: "@ENGINE volume ls -q | grep -c @ID; @ENGINE rm $(@ENGINE ps -lq) >/dev/null; @ENGINE volume rm @ID @ID-2",
  },
  simple(["--mount", "type=bind,source=@WORK/data,target=/data,readonly"], "cat /data/file; touch /data/x", { needs: "files" }),
  simple(
    ["--mount", "type=bind,source=@WORK/data,target=/data,bind-propagation=rprivate"],
    "grep -o ' /data .* - ' /proc/self/mountinfo | grep -c master",
    { needs: "files" },
  ),
  simple(["--mount", "type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=0700"], `${mountOf("/t")}; stat -c %a /t`),
  simple(["--mount", "type=volume,target=/vol"], "touch /vol/x && echo yes"),
  refusedByBoth(["--mount", "type=bind,source=/nowhere/at/all,target=/x"]),
  {
    flags: ["--rm"],
    observe: "true",
    afterwards:
      "@ENGINE run -v /v --name @ID varve-base:latest sh -c 'echo from it >/v/f'; @ENGINE run --rm --volumes-from @ID:ro varve-base:latest sh -c 'cat /v/f; touch /v/x || echo refused'; @ENGINE rm -v @ID",
  },
  simple(["--tmpfs", "/t"], `${mountOf("/t")}; stat -c %a /t`),
  simple(["--tmpfs", "/t:size=2m,exec,mode=0750,uid=1000"], `${mountOf("/t")}; stat -c '%a %u' /t`),
  simple(["--tmpfs", "/home/app"], "stat -c %a /home/app; ls -A /home/app"),
  simple(["--shm-size", "8m"], "df -k /dev/shm | tail -n 1"),
  simple(["--volume-driver", "local", "-v", "/vol"], "touch /vol/x && echo yes"),
  // devices
  simple(
    ["--device", "/dev/zero:/dev/nought:r"],
    "ls -l /dev/nought | awk '{ print $1, $3, $5, $6 }'; head -c2 /dev/nought | wc -c; echo >/dev/nought",
    { alike: [[/^sh: .*$/gm, "refused"]] },
  ),
  simple(["--device", "/dev/kmsg"], "ls -l /dev/kmsg | awk '{ print $1, $5, $6 }'"),
  simple(["--device-cgroup-rule", "c 1:11 rwm"], "mknod /k c 1 11 && echo made"),
  refusedByBoth(["--device", "/dev/nowhere"]),
  // limits
  simple(
    ["-m", "64m"],
    `${cgroup("memory/memory.limit_in_bytes", "memory.max")}; ${cgroup("memory/memory.memsw.limit_in_bytes", "memory.swap.max")}`,
  ),
  simple(["-m", "64m", "--memory-swap", "100m"], cgroup("memory/memory.memsw.limit_in_bytes", "memory.swap.max")),
  simple(["-m", "64m", "--memory-swap", "-1"], cgroup("memory/memory.memsw.limit_in_bytes", "memory.swap.max")),
  simple(["-m", "64m", "--memory-reservation", "32m"], cgroup("memory/memory.soft_limit_in_bytes", "memory.low")),
  simple(["-m", "64m", "--memory-swappiness", "10"], cgroup("memory/memory.swappiness", "memory.max")),
  simple(["-m", "64m", "--oom-kill-disable"], cgroup("memory/memory.oom_control", "memory.max")),
  simple(["-m", "16m"], "head -c 100m /dev/zero | tail | wc -c"),
  simple(["--cpus", "1.5"], `${cgroup("cpu/cpu.cfs_quota_us", "cpu.max")}; ${cgroup("cpu/cpu.cfs_period_us", "cpu.max")}`),
  simple(
    ["--cpu-period", "50000", "--cpu-quota", "25000"],
    `${cgroup("cpu/cpu.cfs_quota_us", "cpu.max")}; ${cgroup("cpu/cpu.cfs_period_us", "cpu.max")}`,
  ),
  simple(["-c", "512"], cgroup("cpu/cpu.shares", "cpu.weight")),
  simple(["--cpuset-cpus", "0", "--cpuset-mems", "0"], `${cgroup("cpuset/cpuset.cpus", "cpuset.cpus")}; nproc`),
  simple(["--pids-limit", "20"], cgroup("pids/pids.max", "pids.max")),
  simple(["--pids-limit", "-1"], cgroup("pids/pids.max", "pids.max")),
  simple(["--ulimit", "nofile=100:200", "--ulimit", "core=0"], limits),
  simple(["--oom-score-adj", "300"], "cat /proc/self/oom_score_adj"),
  refusedByBoth(["-m", "5m"]),
  refusedByBoth(["--cpus", "1000"]),
  refusedByBoth(["--cpuset-cpus", "999"]),
  refusedByBoth(["--memory-swap", "64m"]),
  // the network
  simple(["--network", "none"], "ls /sys/class/net; cat /etc/hosts | head -n 7"),
  simple(["--network", "host"], "hostname; ls /sys/class/net | wc -l", { needs: "network" }),
  simple(["--add-host", "db:10.9.8.7", "--add-host", "six=[::9]"], "grep -E 'db|six' /etc/hosts"),
  simple(["--dns", "9.9.9.9", "--dns-search", "example.com", "--dns-option", "ndots:3"], "grep -vE '^(#|$)' /etc/resolv.conf"),
  simple(["--mac-address", "92:d0:c6:0a:29:33"], "cat /sys/class/net/eth0/address", { needs: "network" }),
  simple(["-p", "127.0.0.1::80/udp", "--expose", "90-91", "-P"], "true", { needs: "network" }),
  simple(
    ["--sysctl", "net.ipv4.ip_forward=0", "--sysctl", "kernel.msgmax=9000"],
    "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax",
    { needs: "network" },
  ),
  refusedByBoth(["--sysctl", "kernel.pid_max=9"]),
  { ...refusedByBoth(["--ip", "10.1.2.3"]), alike: [[/^.*invalid endpoint settings:\n\* /m, ""]] },
  { ...refusedByBoth(["--ip6", "fd00::9"]), alike: [[/^.*invalid endpoint settings:\n\* /m, ""]] },
  refusedByBoth(["--network-alias", "x"]),
  refusedByBoth(["--isolation", "hyperv"]),
  // what Varve refuses
  refused(["--blkio-weight", "100"], /block devices/),
  refused(["--blkio-weight-device", "/dev/null:100"], /block devices/),
  refused(["--cpu-rt-period", "1000"], /real-time/),
  refused(["--cpu-rt-runtime", "1000"], /real-time/),
  refused(["--device-read-bps", "/dev/null:1m"], /block devices/),
  refused(["--device-read-iops", "/dev/null:1"], /block devices/),
  refused(["--device-write-bps", "/dev/null:1m"], /block devices/),
  refused(["--device-write-iops", "/dev/null:1"], /block devices/),
  refused(["--gpus", "all"], /GPU/),
  refused(["--kernel-memory", "64m"], /kernel/),
  refused(["--link", "other:db"], /names resolve/),
  refused(["--link-local-ip", "169.254.1.2"], /cannot be chosen/),
  refused(["--log-driver", "syslog"], /not found/),
  refused(["--runtime", "kata"], /VARVE_RUNTIME/),
  refused(["--storage-opt", "size=1G"], /quota/),
  refused(["--use-api-socket"], /daemon/),
  refusedByBoth(["--volumes-from", "nobody-knows"]),
  refused(["--security-opt", "apparmor=mine"], /AppArmor/),
  refused(["--disable-content-trust=false"], /not supported/),
];

/** What both refuse: exit code and words are compared. */
function refusedByBoth(flags: readonly string[]): FlagCase {
  return { flags, observe: "true" };
}
