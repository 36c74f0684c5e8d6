import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { ContainerRequest } from "../../containers/index.ts";
import { isVarveError } from "../../errors/index.ts";
import { parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { containerFlags } from "./container-flags.ts";
import { readContainerRequest } from "./read-request.ts";
import { refusals } from "./refuse-unsupported.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-flags-"));
after(() => rmSync(folder, { recursive: true }));
const stream = { isTerminal: false, print: () => undefined, write: async () => await Promise.resolve() };
const io: Io = {
  env: { FROM_CLIENT: "here", DOCKER_CONFIG: join(folder, "none") },
  cwd: folder,
  uid: 0,
  stdin: { isTerminal: false, chunks: async function* () {} },
  stdout: stream,
  stderr: stream,
  signal: new AbortController().signal,
  now: () => 0,
};

async function read(line: string | readonly string[]): Promise<ContainerRequest> {
  const words = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
  const { values, positionals } = await parseFlags([...words, "busybox"], containerFlags, { untilCommand: true });
  return await readContainerRequest(values, positionals, io);
}
const host = async (line: string | readonly string[]) => (await read(line)).host ?? {};

async function fails(line: string | readonly string[], message: string, code = "USAGE"): Promise<void> {
  await assert.rejects(
    async () => await read(line),
    (error) => isVarveError(error) && error.code === code && error.message === message,
    `${String(line)} does not fail with ${message}`,
  );
}

test("a request without flags asks for the image and Docker's defaults", async () => {
  const { host: asked, ...request } = await read("");
  assert.deepEqual(request, { image: "busybox", env: [], tty: false, openStdin: false, stdinOnce: false });
  assert.deepEqual([asked?.networkMode, asked?.networks], ["default", { default: { aliases: [] } }]);
  assert.deepEqual([asked?.mounts, asked?.ports, asked?.resources], [[], [], {}]);
});

test("what follows the image is the command, flags and all", async () => {
  const { values, positionals } = await parseFlags(["-it", "busybox", "sh", "-c", "id"], containerFlags, { untilCommand: true });
  const { command, tty, openStdin, stdinOnce } = await readContainerRequest(values, positionals, io);
  assert.deepEqual([command, tty, openStdin, stdinOnce], [["sh", "-c", "id"], true, true, true]);
});

test("ports: addresses, ranges, protocols, the long form", async () => {
  const ports = async (line: string) => (await host(line)).ports;
  const tcp = { protocol: "tcp" } as const;
  assert.deepEqual(await ports("-p 8080:80"), [{ hostPort: 8080, containerPort: 80, ...tcp }]);
  assert.deepEqual(await ports("-p 80"), [{ containerPort: 80, ...tcp }]);
  assert.deepEqual(await ports("-p 127.0.0.1::53/udp"), [{ hostIp: "127.0.0.1", containerPort: 53, protocol: "udp" }]);
  assert.deepEqual(await ports("-p [::1]:1:2"), [{ hostIp: "::1", hostPort: 1, containerPort: 2, ...tcp }]);
  assert.deepEqual(await ports("-p 8000-8001:80-81"), [
    { hostPort: 8000, containerPort: 80, ...tcp },
    { hostPort: 8001, containerPort: 81, ...tcp },
  ]);
  assert.deepEqual(await ports("-p published=90,target=80,protocol=udp"), [{ hostPort: 90, containerPort: 80, protocol: "udp" }]);
  await fails("-p abc", "invalid containerPort: abc");
  await fails("-p 1.2.3:80:80", "invalid IP address: 1.2.3");
  await fails("-p 80:80/foo", "invalid proto: foo");
  await fails("-p 8000-8002:80-81", "invalid ranges specified for container and host Ports: 80-81 and 8000-8002");
  await fails("-p :80:", "no port specified: :80:<empty>");
  await fails("-p 99999:80", "invalid hostPort: 99999");
  await fails("--expose abc", 'invalid range format for --expose: abc, error: strconv.ParseUint: parsing "abc": invalid syntax');
  assert.deepEqual((await read("--expose 70-71/udp")).exposedPorts, ["70/udp", "71/udp"]);
});

test("volumes: paths, names, anonymous ones, options", async () => {
  const mounts = async (...line: string[]) => (await host(line)).mounts;
  const bind = { type: "bind", createSource: true, readonly: false } as const;
  assert.deepEqual(await mounts("-v", "/a/:/b/"), [{ ...bind, source: "/a", target: "/b" }]);
  assert.deepEqual(await mounts("-v", "./a:/b:ro,z,rslave"), [
    { ...bind, source: join(folder, "a"), target: "/b", readonly: true, propagation: "rslave" },
  ]);
  assert.deepEqual(await mounts("-v", "data:/b:nocopy"), [
    { type: "volume", source: "data", target: "/b", readonly: false, noCopy: true },
  ]);
  assert.deepEqual(await mounts("-v", "/b"), [{ type: "volume", target: "/b", readonly: false }]);
  assert.equal((await mounts("-v", "/a:/b", "-v", "/c:/b"))?.length, 1);
  await fails(["-v", ""], "invalid empty volume spec");
  await fails(["-v", ":/x"], "invalid spec: :/x: empty section between colons");
  await fails("-v /a:/b:foo", "invalid mode: foo");
  await fails("-v aa:/x:ro,rw", "invalid mode: ro,rw");
  await fails("-v aa:/b:ro:x", "invalid volume specification: 'aa:/b:ro:x'");
  await fails(
    "-v /tmp:b",
    "invalid volume specification: '/tmp:b': invalid mount config for type \"bind\": invalid mount path: 'b' mount path must be absolute",
  );
  await fails(
    "-v aa:/x:rshared",
    "invalid volume specification: 'aa:/x:rshared': invalid mount config for type \"volume\": field BindOptions must not be specified",
  );
});

test("--mount and --tmpfs", async () => {
  const mounts = async (...line: string[]) => (await host(line)).mounts;
  assert.deepEqual(await mounts("--mount", "type=bind,src=./a,dst=/b,ro,bind-propagation=shared"), [
    { type: "bind", source: join(folder, "a"), target: "/b", readonly: true, propagation: "shared" },
  ]);
  assert.deepEqual(await mounts("--mount", 'source=v,target=/b,"volume-opt=o=size=1m,uid=2",volume-label=a=b,volume-nocopy'), [
    {
      type: "volume",
      target: "/b",
      readonly: false,
      source: "v",
      noCopy: true,
      volumeLabels: { a: "b" },
      volumeOptions: { o: "size=1m,uid=2" },
    },
  ]);
  assert.deepEqual(await mounts("--mount", "type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770"), [
    { type: "tmpfs", target: "/t", readonly: false, tmpfsBytes: 1048576, tmpfsMode: 0o1770 },
  ]);
  assert.deepEqual(await mounts("--tmpfs", "/t:size=2m,ro"), [
    { type: "tmpfs", target: "/t", readonly: true, tmpfsOptions: ["size=2m"] },
  ]);
  const wrong = (value: string, why: string) =>
    fails(["--mount", value], `invalid argument "${value}" for "--mount" flag: ${why}`);
  await wrong("type=bind", "target is required");
  await wrong("foo", "invalid field 'foo' must be a key=value pair");
  await wrong("target=/x,foo=bar", "unexpected key 'foo' in 'foo=bar'");
  await wrong("type=bind,source=/tmp,target=/x,volume-nocopy", "cannot mix 'volume-*' options with mount type 'bind'");
  await fails("--mount type=foo,target=/x", 'invalid mount config for type "foo": mount type unknown');
  await fails("--tmpfs foo", "invalid mount path: 'foo' mount path must be absolute");
  await fails("--tmpfs /x:foo", 'invalid tmpfs option "foo"');
});

test("environment and labels: of flags, of files, of the client", async () => {
  writeFileSync(join(folder, "env"), "﻿# comment\n\n  A=1 \nFROM_CLIENT\nNOT_THERE\n");
  assert.deepEqual((await read("--env-file env -e B=2 -e FROM_CLIENT -e GONE")).env, [
    "A=1 ",
    "FROM_CLIENT=here",
    "B=2",
    "FROM_CLIENT=here",
    "GONE",
  ]);
  assert.deepEqual((await read("-l a=b -l c")).labels, { a: "b", c: "" });
  await fails("-e =x", 'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x');
  await fails("-l =x", `invalid argument "=x" for "-l, --label" flag: invalid label '=x': empty name`);
  await fails(["-l", "a b=x"], `invalid argument "a b=x" for "-l, --label" flag: label 'a b' contains whitespaces`);
  await fails("--env-file /nonex", "open /nonex: no such file or directory");
  writeFileSync(join(folder, "bad"), "A B=1\n");
  await fails("--env-file bad", "invalid env file (bad): variable 'A B' contains whitespaces");
});

test("limits: sizes, CPUs, ulimits, sysctls", async () => {
  const { resources } = await host("-m 64m --memory-swap -1 --cpus 1.5 -c 512 --pids-limit 0 --memory-swappiness 10");
  assert.deepEqual(resources, { memoryBytes: 67108864, memorySwapBytes: -1, cpus: 1.5, cpuShares: 512, memorySwappiness: 10 });
  assert.deepEqual((await host("--ulimit nofile=1:2 --ulimit core=-1 --ulimit nofile=3")).ulimits, [
    { name: "core", soft: -1, hard: -1 },
    { name: "nofile", soft: 3, hard: 3 },
  ]);
  assert.equal((await host("--shm-size 8m")).shmBytes, 8388608);
  await fails("-m abc", `invalid argument "abc" for "-m, --memory" flag: invalid size: 'abc'`);
  await fails("--cpus abc", 'invalid argument "abc" for "--cpus" flag: failed to parse abc as a rational number');
  await fails("--cpus 1.0000000001", 'invalid argument "1.0000000001" for "--cpus" flag: value is too precise');
  await fails("-c x", 'invalid argument "x" for "-c, --cpu-shares" flag: strconv.ParseInt: parsing "x": invalid syntax');
  await fails("--ulimit foo", 'invalid argument "foo" for "--ulimit" flag: invalid ulimit argument: foo');
  await fails("--ulimit foo=1", 'invalid argument "foo=1" for "--ulimit" flag: invalid ulimit type: foo');
  await fails(
    "--ulimit nofile=10:5",
    'invalid argument "nofile=10:5" for "--ulimit" flag: ulimit soft limit must be less than or equal to hard limit: 10 > 5',
  );
  await fails(
    "--sysctl kernel.hostname=1",
    `invalid argument "kernel.hostname=1" for "--sysctl" flag: sysctl 'kernel.hostname=1' is not allowed`,
  );
  await fails("--memory-swappiness 101", "invalid value: 101. Valid memory swappiness range is 0-100");
});

test("networks: names, aliases, addresses", async () => {
  const { networkMode, networks } = await host("--network name=front,alias=web,ip=10.0.0.9 --network back --dns 9.9.9.9");
  assert.deepEqual([networkMode, networks], ["front", { front: { aliases: ["web"], ipv4: "10.0.0.9" }, back: { aliases: [] } }]);
  const { networks: one } = await host("--network n --network-alias a --ip 10.0.0.1 --mac-address 92-D0-C6-0A-29-33");
  assert.deepEqual(one, { n: { aliases: ["a"], ipv4: "10.0.0.1", macAddress: "92:d0:c6:0a:29:33" } });
  assert.deepEqual((await host("--add-host a:1.2.3.4 --add-host b=[::1] --add-host c:host-gateway")).extraHosts, [
    { host: "a", ip: "1.2.3.4" },
    { host: "b", ip: "::1" },
    { host: "c", ip: "host-gateway" },
  ]);
  await fails("--network a --network a", 'network "a" is specified multiple times');
  await fails(
    "--network a --network bridge",
    "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
  );
  await fails("--network name=a,foo=b", 'invalid argument "name=a,foo=b" for "--network" flag: invalid field key foo');
  await fails("--network-alias x", "network-scoped aliases are only supported for user-defined networks");
  await fails("--mac-address foo", "foo is not a valid mac address");
  await fails("--add-host foo:bar", 'invalid argument "foo:bar" for "--add-host" flag: invalid IP address in add-host: "bar"');
  await fails("--dns foo", 'invalid argument "foo" for "--dns" flag: IP address is not correctly formatted: foo');
});

test("health checks, restarts, namespaces, logs, devices", async () => {
  assert.deepEqual((await read("--health-cmd true --health-interval 2s --health-retries 3")).healthcheck, {
    Test: ["CMD-SHELL", "true"],
    Interval: 2_000_000_000,
    Retries: 3,
  });
  assert.equal((await read("--no-healthcheck")).healthcheck, "none");
  await fails("--health-cmd x --no-healthcheck", "--no-healthcheck conflicts with --health-* options");
  await fails("--health-interval 5", 'invalid argument "5" for "--health-interval" flag: time: missing unit in duration "5"');
  await fails("--health-interval=-5s", "--health-interval cannot be negative");
  assert.deepEqual((await host("--restart on-failure:3")).restart, { name: "on-failure", maximumRetries: 3 });
  await fails("--restart always --rm", "conflicting options: cannot specify both --restart and --rm");
  await fails("--restart always:3", "invalid restart policy: maximum retry count can only be used with 'on-failure'");
  await fails(
    "--restart foo",
    "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  );
  const { pidMode, ipcMode, utsMode, cgroupnsMode } = await host("--pid container:a --ipc none --uts host --cgroupns private");
  assert.deepEqual([pidMode, ipcMode, utsMode, cgroupnsMode], ["container:a", "none", "host", "private"]);
  await fails("--pid foo", "--pid: invalid PID mode");
  await fails("--ipc foo", "invalid IPC mode: foo");
  assert.deepEqual((await host("--log-opt max-size=1m --log-opt max-file=2")).log, {
    driver: "json-file",
    maxBytes: 1048576,
    maxFiles: 2,
  });
  await fails("--log-opt foo=1", "unknown log opt 'foo' for json-file log driver");
  assert.deepEqual((await host("--device /dev/a --device /dev/b:/dev/c:r --device /dev/d:rw")).devices, [
    { host: "/dev/a", container: "/dev/a", access: "rwm" },
    { host: "/dev/b", container: "/dev/c", access: "r" },
    { host: "/dev/d", container: "/dev/d", access: "rw" },
  ]);
  await fails("--device /dev/null:/x:q", "bad mode specified: q");
  await fails("--device foo", "foo is not an absolute path");
  await fails("--security-opt foo", 'Invalid --security-opt: "foo"');
  await fails("--stop-signal FOO", "invalid signal: FOO");
  await fails("--pull foo", `invalid pull option: 'foo': must be one of "always", "missing" or "never"`);
});

test("each flag of docker run that has no effect is refused by name", async () => {
  for (const [name, why] of Object.entries(refusals)) {
    const { kind } = containerFlags[name as keyof typeof containerFlags];
    const value = kind === "bool" ? [] : ["1"];
    await fails([`--${name}`, ...value], `--${name} is not supported: ${why}`, "CONTAINER_UNSUPPORTED");
  }
});
