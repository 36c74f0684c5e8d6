import assert from "node:assert/strict";
import test from "node:test";
import type { Service } from "../compose-file/index.ts";
import type { ContainerRequest } from "../containers/index.ts";
import { containerRequest, type RequestContext } from "./container-request.ts";
import { projectOf } from "./project-fixture.test.ts";

const volumes = { data: { name: "app_data" } };

function requestOf(service: Omit<Service, "name">, context: Partial<RequestContext> = {}): ContainerRequest {
  const project = projectOf(
    { web: service },
    { volumes, networks: { default: { name: "app_default" }, back: { name: "app_back" } } },
  );
  return containerRequest(project.services["web"]!, {
    project,
    number: 1,
    labels: {},
    containerOf: (name) => `id-of-${name}`,
    ...context,
  });
}

test("M60 the image, the name and the platform: a built service is named after the project", () => {
  const built = requestOf({ build: { context: "." } });
  assert.equal(built.image, "app-web");
  assert.equal(built.name, "app-web-1");
  assert.equal(built.pull, "never");
  const named = requestOf({ image: "nginx", container_name: "front", platform: "linux/arm64" });
  assert.deepEqual([named.image, named.name, named.platform], ["nginx", "front", "linux/arm64"]);
});

test("M61 the program: an empty command is none, no command is the image's", () => {
  assert.equal("command" in requestOf({ image: "x" }), false);
  assert.deepEqual(requestOf({ image: "x", command: [] }).command, []);
  const full = requestOf({
    image: "x",
    command: ["run"],
    entrypoint: ["/e"],
    working_dir: "/w",
    user: "1:2",
    tty: true,
    stdin_open: true,
    stop_signal: "SIGINT",
    stop_grace_period: 1500,
    init: false,
  });
  assert.deepEqual([full.command, full.entrypoint, full.workingDir, full.user], [["run"], ["/e"], "/w", "1:2"]);
  assert.deepEqual(
    [full.tty, full.openStdin, full.stopSignal, full.stopTimeoutS, full.host?.init],
    [true, true, "SIGINT", 2, false],
  );
});

test("M62 ports: of a range of the host each container of a scaled service takes the first free one", () => {
  const ports = [
    { target: 80, published: "8080-8082" },
    { target: 53, protocol: "udp", host_ip: "127.0.0.1" },
  ];
  assert.deepEqual(requestOf({ image: "x", ports }, { number: 2 }).host?.ports, [
    { containerPort: 80, protocol: "tcp", hostPort: 8080, lastHostPort: 8082 },
    { containerPort: 53, protocol: "udp", hostIp: "127.0.0.1" },
  ]);
  const wrong = [{ target: 80, published: "x" }];
  assert.throws(() => requestOf({ image: "x", ports: wrong }), { code: "SERVICE_INVALID" });
  assert.deepEqual(requestOf({ image: "x", expose: ["9000"], ports }).exposedPorts, ["9000/tcp", "80/tcp", "53/udp"]);
});

test("M63 a variable without a value is not set", () => {
  assert.deepEqual(requestOf({ image: "x", environment: { A: "1", B: null, C: "" } }).env, ["A=1", "C="]);
});

test("M65 healthchecks: times in nanoseconds, and NONE switches the image's off", () => {
  const healthcheck = { test: ["CMD", "true"], interval: 1500, timeout: 2000, retries: 3 };
  assert.deepEqual(requestOf({ image: "x", healthcheck }).healthcheck, {
    Test: ["CMD", "true"],
    Interval: 1.5e9,
    Timeout: 2e9,
    Retries: 3,
  });
  assert.equal(requestOf({ image: "x", healthcheck: { disable: true } }).healthcheck, "none");
  assert.equal(requestOf({ image: "x", healthcheck: { test: ["NONE"] } }).healthcheck, "none");
});

test("M66 volumes have the project's names, anonymous ones are carried over, tmpfs have their options", () => {
  const { host } = requestOf(
    {
      image: "x",
      volumes: [
        { type: "volume", source: "data", target: "/data" },
        { type: "volume", target: "/anonymous" },
        { type: "bind", source: "/src", target: "/src", read_only: true, bind: { create_host_path: true } },
        { type: "tmpfs", target: "/t", tmpfs: { size: 1024, mode: 0o700 } },
      ],
      tmpfs: ["/run:size=1m,mode=755"],
    },
    { carriedVolumes: { "/anonymous": "v1", "/of-the-image": "v2" } },
  );
  assert.deepEqual(host?.mounts, [
    { type: "volume", source: "app_data", target: "/data", readonly: false },
    { type: "volume", source: "v1", target: "/anonymous", readonly: false },
    { type: "bind", source: "/src", target: "/src", readonly: true, createSource: true },
    { type: "tmpfs", target: "/t", readonly: false, tmpfsBytes: 1024, tmpfsMode: 0o700 },
    { type: "tmpfs", target: "/run", readonly: false, tmpfsOptions: ["size=1m", "mode=755"] },
    { type: "volume", source: "v2", target: "/of-the-image", readonly: false },
  ]);
});

test("M67 networks: aliases are the container, the service and the file's; network_mode may be another service's", () => {
  const { host } = requestOf({
    image: "x",
    networks: { default: null, back: { aliases: ["b"], priority: 10, ipv4_address: "10.0.0.2" } },
  });
  assert.equal(host?.networkMode, "app_back");
  assert.deepEqual(host.networks, {
    app_back: { aliases: ["app-web-1", "web", "b"], ipv4: "10.0.0.2" },
    app_default: { aliases: ["app-web-1", "web"] },
  });
  assert.equal(requestOf({ image: "x", network_mode: "service:db" }).host?.networkMode, "container:id-of-db");
  assert.deepEqual(requestOf({ image: "x", network_mode: "host" }).host?.networks, {});
});

test("M71 restart, and deploy where restart says nothing", () => {
  const policyOf = (service: Omit<Service, "name">) => requestOf({ image: "x", ...service }).host?.restart;
  assert.deepEqual(policyOf({}), { name: "no", maximumRetries: 0 });
  assert.deepEqual(policyOf({ restart: "on-failure:3" }), { name: "on-failure", maximumRetries: 3 });
  assert.deepEqual(policyOf({ deploy: { restart_policy: { condition: "any" } } }), { name: "always", maximumRetries: 0 });
  assert.throws(() => policyOf({ restart: "sometimes" }), { code: "SERVICE_INVALID" });
});

test("M72 limits: those of deploy win", () => {
  const { host } = requestOf({
    image: "x",
    mem_limit: 1,
    cpus: 1,
    pids_limit: 5,
    cap_add: ["NET_ADMIN"],
    read_only: true,
    ulimits: { nofile: 10, nproc: { soft: 1, hard: 2 } },
    deploy: { resources: { limits: { memory: 64, cpus: 0.5 }, reservations: { memory: 32 } } },
  });
  assert.deepEqual(host?.resources, { memoryBytes: 64, memoryReservationBytes: 32, cpus: 0.5, pidsLimit: 5 });
  assert.deepEqual(host.ulimits, [
    { name: "nofile", soft: 10, hard: 10 },
    { name: "nproc", soft: 1, hard: 2 },
  ]);
  assert.deepEqual([host.capAdd, host.readonlyRoot], [["NET_ADMIN"], true]);
});

test("M73 logging and hosts", () => {
  const { host } = requestOf({
    image: "x",
    extra_hosts: ["a=1.2.3.4", "b=::1"],
    logging: { driver: "json-file", options: { "max-size": "10k", "max-file": "3" } },
  });
  assert.deepEqual(host?.extraHosts, [
    { host: "a", ip: "1.2.3.4" },
    { host: "b", ip: "::1" },
  ]);
  assert.deepEqual(host.log, { driver: "json-file", maxBytes: 10_240, maxFiles: 3 });
  assert.throws(() => requestOf({ image: "x", logging: { driver: "syslog" } }), { code: "SERVICE_UNSUPPORTED" });
});

test("an image that is mounted is pulled where it is missing, and a part of it is refused", () => {
  const { host } = requestOf({ image: "x", volumes: [{ type: "image", source: "y", target: "/y" }] });
  assert.deepEqual(host?.mounts, [{ type: "image", source: "y", target: "/y", readonly: true, createSource: true }]);
  const part = { type: "image", source: "y", target: "/y", image: { subpath: "bin" } } as const;
  assert.throws(() => requestOf({ image: "x", volumes: [part] }), { message: /uses volumes\.image\.subpath,/ });
});

test("M75 what cannot be carried out is refused by name, all of it at once", () => {
  assert.throws(
    () => requestOf({ image: "x", gpus: [{}], userns_mode: "host", volumes: [{ type: "npipe", source: "y", target: "/y" }] }),
    {
      code: "SERVICE_UNSUPPORTED",
      message: 'service "web" uses gpus, userns_mode, volumes.type: npipe, which Varve does not support',
    },
  );
});
