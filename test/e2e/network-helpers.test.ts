/** What containers' networks need beside the kernel: the way out, names, forwarded ports; and what becomes of it when it is killed. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { after, test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";
import { findLastingTraces, findSurvivors } from "../kit/processes.ts";
import type { Sandbox } from "../kit/sandbox.ts";
import { fetchHere, removeContainers, retry, runAtFreePort } from "../kit/served.ts";
import { findNoWayOut, hasProgram } from "../kit/ways.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === "::1"));

describeEachWay("the helpers of networks", (box) => {
  const text = async (...args: string[]): Promise<string> => (await box.succeed(args)).stdout.toString().trim();
  const isOrdinary = box.way.name === "as an ordinary user";
  const noWayOut = isOrdinary ? findNoWayOut() : undefined;
  after(async () => await removeContainers(box));

  for (const program of isOrdinary ? ["slirp4netns", "pasta"] : ["the bridge"]) {
    const isMissing = isOrdinary && !hasProgram(program);
    const skip = isMissing ? `${program} is not on this machine` : (noWayOut ?? false);
    test(`a container reaches a server of this machine, by address and by name, through ${program}`, { skip }, async () => {
      const server = createServer((_request, response) => response.end("from outside\n"));
      await new Promise<void>((resolve) => void server.listen(0, "0.0.0.0", resolve));
      const { port } = server.address() as AddressInfo;
      const env = isOrdinary ? { PATH: pathWithOnly(box, program) } : {};
      const fetches = ["machine", "$(awk '/machine/ { print $1 }' /etc/hosts)"].map(
        (host) => `wget -q -O- http://${host}:${port}/`,
      );
      const fetchOut = fetches.map((fetch) => `(${retry(fetch)})`).join(" && ");
      try {
        await box.succeed(["network", "create", "outward"]);
        for (const network of ["bridge", "outward"]) {
          const args = ["--rm", "--network", network, "--add-host", "machine:host-gateway", "busybox", "sh", "-c", fetchOut];
          const { stdout, stderr } = await box.succeed(["run", ...args], { env });
          assert.equal(stdout.toString(), "from outside\nfrom outside\n", stderr);
        }
        await text("network", "rm", "outward");
      } finally {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    });
  }

  test("helpers that were killed are there again after the next look at containers", async () => {
    await text("network", "create", "served");
    const page = "echo kept > /name; exec httpd -f -p 80 -h /";
    await text("run", "-d", "--name", "web", "--network", "served", "-p", "80", "busybox", "sh", "-c", page);
    await text("run", "-d", "--name", "app", "--network", "served", "busybox", "sleep", "1000");
    const [ipv4 = "", ipv6] = (await text("port", "web", "80")).split("\n");
    const helpers = listHelpers(box);
    assert.ok(
      helpers.some(({ name }) => name === "names") &&
        (!isOrdinary || noWayOut !== undefined || helpers.some(({ name }) => name === "way-out")),
    );
    await killAll(helpers.filter(({ name }) => name !== "holder").map(({ pid }) => pid));
    await text("ps");
    assert.equal(await text("exec", "app", "sh", "-c", retry("wget -q -O- http://web/name")), "kept");
    assert.equal(await fetchHere(ipv4.replace("0.0.0.0", "127.0.0.1")), "kept");
    assert.equal(ipv6 !== undefined, hasIpv6);
    if (ipv6 !== undefined) assert.equal(await fetchHere(ipv6.replace("[::]", "[::1]")), "kept");
    const names = listHelpers(box).map(({ name }) => name);
    assert.deepEqual(names.toSorted(), helpers.map(({ name }) => name).toSorted());
    await text("rm", "-f", "web", "app");
    await text("network", "rm", "served");
  });

  test("twenty containers that begin at once on one network have twenty addresses", async () => {
    await text("network", "create", "crowd");
    const names = Array.from({ length: 20 }, (_, index) => `crowd${index}`);
    await Promise.all(names.map((name) => text("run", "-d", "--name", name, "--network", "crowd", "busybox", "sleep", "1000")));
    const listed = await text("network", "inspect", "-f", "{{range .Containers}}{{.IPv4Address}} {{end}}", "crowd");
    assert.equal(new Set(listed.split(" ")).size, names.length, listed);
    await text("rm", "-f", ...names);
    await text("network", "rm", "crowd");
  });

  test("a port is free again when everything of its container was killed", async () => {
    const id = await text("run", "-d", "-p", "80", "busybox", "sleep", "1000");
    const [address = ""] = (await text("port", id, "80")).split("\n");
    const port = address.split(":").at(-1) ?? "";
    const pid = Number(await text("inspect", "-f", "{{.State.Pid}}", id));
    await killAll([pid, ...listNaming(box.folder), ...listHelpers(box).map((helper) => helper.pid)]);
    await runAtFreePort(box, `${port}:80`);
    assert.match(await text("ps", "-a", "--format", "{{.ID}} {{.Status}}"), new RegExp(`^${id.slice(0, 12)} Exited \\(137\\)`));
    await text("rm", id);
    assert.deepEqual(await findLastingTraces(box.path("store")), []);
  });
});

/** A folder with every program but the other ways out. */
function pathWithOnly(box: Sandbox, program: string): string {
  const folder = box.path(`only-${program}`);
  mkdirSync(folder);
  const others = new Set(["slirp4netns", "pasta"].filter((name) => name !== program));
  const seen = new Set<string>();
  for (const from of (process.env["PATH"] ?? "").split(":")) {
    for (const name of quietly(() => readdirSync(from), []).filter((one) => !others.has(one) && !seen.has(one))) {
      seen.add(name);
      symlinkSync(`${from}/${name}`, `${folder}/${name}`);
    }
  }
  return folder;
}

/** The processes that serve a store's networks, by the names of the files that they write what is wrong to. */
function listHelpers(box: Sandbox): readonly { readonly name: string; readonly pid: number }[] {
  const folder = box.path("store/networks");
  const server = Number(readOrEmpty(`${folder}/names/aardvark.pid`));
  const logged = listPids().flatMap((pid) => {
    const [, name] = /^(.*)\.log$/.exec(quietly(() => readlinkSync(`/proc/${pid}/fd/2`), "").replace(`${folder}/`, "")) ?? [];
    return name === undefined || name.includes("/") || name === "names" ? [] : [{ name, pid }];
  });
  return [...logged, ...(server === 0 ? [] : [{ name: "names", pid: server }])];
}

/** The processes whose command line has a word. */
function listNaming(word: string): readonly number[] {
  return listPids().filter((pid) => readOrEmpty(`/proc/${pid}/cmdline`).includes(word));
}

async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of new Set(pids)) quietly(() => process.kill(pid, "SIGKILL"), false);
  assert.deepEqual(await findSurvivors(pids), []);
}

function listPids(): readonly number[] {
  return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function quietly<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

function readOrEmpty(path: string): string {
  return quietly(() => readFileSync(path, "latin1"), "");
}
