/** Networks and volumes of containers that run: who reaches whom, by which name, through which port; and that nothing is left. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { describeEachWay } from "../kit/each-way.ts";
import { fetchHere, removeContainers, retry, runAtFreePort } from "../kit/served.ts";

describeEachWay("networks", (box) => {
  const text = async (...args: string[]): Promise<string> => (await box.succeed(args)).stdout.toString().trim();
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await box.varve(args);
    assert.notEqual(code, 0, args.join(" "));
    return stderr;
  };
  /** Serves its name at port 80. */
  const serve = async (name: string, ...flags: string[]): Promise<string> =>
    await text("run", "-d", "--name", name, ...flags, "busybox", "sh", "-c", `echo ${name} > /name; exec httpd -f -p 80 -h /`);
  const fetchIn = async (container: string, host: string): Promise<string> =>
    await text("exec", container, "sh", "-c", retry(`wget -q -O- http://${host}/name`));
  after(async () => await removeContainers(box));

  test("containers of a network find each other by name, alias and ID, and those of another network neither name nor address", async () => {
    await text("network", "create", "front");
    await text("network", "create", "back");
    const id = await serve("web", "--network", "front", "--network-alias", "www");
    await serve("db", "--network", "back");
    await serve("app", "--network", "front", "--network", "back");
    for (const name of ["web", "www", id.slice(0, 12)]) assert.equal(await fetchIn("app", name), "web");
    assert.equal(await fetchIn("app", "db"), "db");
    assert.equal(await fetchIn("db", "app"), "app");
    const address = await text("inspect", "-f", "{{.NetworkSettings.Networks.front.IPAddress}}", "web");
    await refused("exec", "db", "nslookup", "web");
    await refused("exec", "db", "ping", "-c", "1", "-W", "1", address);
    await text("network", "connect", "--alias", "late", "back", "web");
    assert.equal(await fetchIn("db", "late"), "web");
    await text("network", "disconnect", "back", "web");
    // the server of names reads anew when it is told to, in a moment
    const findsLate = async () => (await box.varve(["exec", "db", "nslookup", "late"])).code === 0;
    for (const begin = Date.now(); await findsLate(); await sleep(100)) assert.ok(Date.now() - begin < 60_000, "late is found");
    assert.match(await refused("network", "rm", "front"), /network front has active endpoints \(name:"/);
    const members = await text("network", "inspect", "-f", "{{range .Containers}}{{.Name}} {{end}}", "back");
    assert.deepEqual(members.split(" ").toSorted(), ["app", "db"]);
    await text("rm", "-f", "web", "db", "app");
    assert.equal(await text("network", "rm", "front", "back"), "front\nback");
  });

  test("a container is put on networks and taken off them whether it runs or not, and its next starts know", async () => {
    for (const name of ["first", "second", "third"]) await text("network", "create", name);
    const networks = async (): Promise<string> =>
      await text("inspect", "-f", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}", "moved");
    const names = async (...wanted: string[]): Promise<void> =>
      assert.deepEqual((await networks()).split(" ").toSorted(), wanted.toSorted());
    await serve("beside", "--network", "second");
    await text("create", "--name", "moved", "--network", "first", "busybox", "sleep", "1000");
    await text("network", "connect", "--alias", "early", "second", "moved");
    await text("network", "connect", "second", "moved"); // already so: nothing to do while it does not run
    assert.match(
      await refused("network", "connect", "--ip", "10.9.8.7", "third", "moved"),
      /supported only when connecting to networks with user configured subnets/,
    );
    assert.match(await refused("network", "connect", "nowhere", "moved"), /network nowhere not found/);
    await names("first", "second");
    await text("start", "moved");
    await names("first", "second");
    assert.equal(await fetchIn("moved", "beside"), "beside");
    assert.match(await text("exec", "beside", "nslookup", "early"), /Address/);
    assert.match(
      await refused("network", "connect", "second", "moved"),
      /endpoint with name moved already exists in network second/,
    );

    await text("exec", "moved", "sh", "-c", "echo 10.1.2.3 mine >> /etc/hosts");
    const hosts = async (): Promise<string> => await text("exec", "moved", "cat", "/etc/hosts");
    await text("network", "connect", "third", "moved");
    const third = await text("inspect", "-f", "{{.NetworkSettings.Networks.third.IPAddress}}", "moved");
    assert.match(third, /^\d+\.\d+\.\d+\.\d+$/);
    assert.ok((await hosts()).includes(`${third}\t`) && (await hosts()).includes("10.1.2.3 mine"), await hosts());
    await text("network", "disconnect", "first", "moved");
    await names("second", "third");
    await text("restart", "-t", "0", "moved");
    await names("second", "third");
    assert.equal(await fetchIn("moved", "beside"), "beside");
    await text("network", "disconnect", "third", "moved");
    assert.ok(!(await hosts()).includes(third), await hosts());

    await text("stop", "-t", "0", "moved");
    await text("network", "disconnect", "second", "moved");
    assert.equal(await networks(), "");
    assert.match(await refused("network", "disconnect", "second", "moved"), /is not connected to the network second/);
    await text("start", "moved");
    assert.equal(await text("exec", "moved", "ls", "/sys/class/net"), "lo", "on no network there is loopback alone");
    await text("network", "connect", "first", "moved");
    await names("first");

    await text("create", "--name", "hosted", "--network", "host", "busybox", "sleep", "1000");
    assert.match(
      await refused("network", "connect", "first", "hosted"),
      /sharing network namespace with another container or host/,
    );
    assert.match(await refused("network", "connect", "host", "moved"), /must be created in host network mode/);
    assert.match(await refused("network", "connect", "none", "moved"), /one of the networks in private \(none\) mode/);
    await text("rm", "-f", "moved", "beside", "hosted");
    await text("network", "rm", "first", "second", "third");
  });

  test("a published port is answered from this machine, is taken until its container ends, and is free again then", async () => {
    const id = await serve("published", "-p", "127.0.0.1::80", "-p", "80");
    const [loopback = "", everywhere = ""] = (await text("port", "published", "80")).split("\n");
    assert.match(loopback, /^127\.0\.0\.1:\d+$/);
    assert.match(everywhere, /^0\.0\.0\.0:\d+$/);
    assert.equal(await fetchHere(loopback), "published");
    assert.equal(await fetchHere(everywhere.replace("0.0.0.0", "127.0.0.1")), "published");
    const again = await refused("run", "--rm", "-p", `${loopback}:80`, "busybox", "true");
    assert.match(again, new RegExp(`Bind for ${loopback} failed: port is already allocated`));
    const program = createServer().listen(Number(loopback.split(":").at(-1)), "127.0.0.1");
    await assert.rejects(once(program, "listening"), { code: "EADDRINUSE" }, "other programs find it taken as well");
    await text("rm", "-f", id);
    await runAtFreePort(box, `${loopback}:80`);
  });

  test("a range of this machine's ports gives the first free one, and a port of 127.0.0.1 is out of others' reach", async () => {
    await serve("ranged", "-p", "127.0.0.1::80");
    const [address = ""] = (await text("port", "ranged", "80")).split("\n");
    const port = Number(address.split(":").at(-1));
    const range = `127.0.0.1:${port}-${port + 9}:80`;
    const second = await text("run", "-d", "-p", range, "busybox", "sleep", "1000");
    const found = Number((await text("port", second, "80")).split(":").at(-1));
    assert.ok(found > port && found <= port + 9, String(found));
    await text("network", "create", "curious");
    const look = `wget -T 5 -q -O- http://$(ip route | awk '/default/ { print $3 }'):${port}/name`;
    await refused("run", "--rm", "--network", "curious", "busybox", "sh", "-c", look);
    await text("rm", "-f", "ranged", second);
    await text("network", "rm", "curious");
  });

  test("a network with IPv6 gives addresses and names of both families, and its ports are answered at [::1]", async () => {
    const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === "::1"));
    const subnet = `fd00:${randomBytes(2).toString("hex")}:7::/64`;
    const address = subnet.replace("/64", "77");
    const args = ["network", "create", "--ipv6", "--subnet", subnet, "both"];
    if (!hasIpv6) {
      assert.match(await refused(...args), /IPv6 is switched off on this machine/);
      return;
    }
    await text(...args);
    await serve("six", "--network", "both", "--ip6", address, "-p", "80", "-p", "[::1]::80");
    const { GlobalIPv6Address: given, GlobalIPv6PrefixLen: length } = JSON.parse(
      await text("inspect", "-f", "{{json .NetworkSettings.Networks.both}}", "six"),
    ) as Readonly<Record<string, unknown>>;
    const plain = new URL(`http://[${address}]`).hostname.slice(1, -1);
    assert.deepEqual([given, length], [plain, 64]);
    const runIn = async (script: string): Promise<string> =>
      await text("run", "--rm", "--network", "both", "busybox", "sh", "-c", retry(script));
    assert.match(await runIn("nslookup six"), new RegExp(`Address: ${plain}\\b`));
    assert.equal(await runIn(`wget -q -O- "http://[${address}]/name"`), "six");
    const ports = (await text("port", "six", "80")).split("\n");
    assert.deepEqual(
      ports.map((each) => each.replace(/\d+$/, "")),
      ["0.0.0.0:", "[::]:", "[::1]:"],
    );
    for (const each of ports) assert.equal(await fetchHere(each.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")), "six");
    await refused("run", "--rm", "busybox", "ping", "-6", "-c", "1", "-W", "1", address);
    await text("rm", "-f", "six");
    await text("network", "rm", "both");
  });

  test("an internal network has no way out, and host and none are what they say", async () => {
    await text("network", "create", "--internal", "inside");
    assert.doesNotMatch(await text("run", "--rm", "--network", "inside", "busybox", "ip", "route"), /default/);
    assert.doesNotMatch(await text("run", "--rm", "--network", "none", "busybox", "ip", "addr"), /eth0/);
    const own = execFileSync("cat", ["/proc/net/dev"], { encoding: "utf8" }).split("\n").length;
    const host = await text("run", "--rm", "--network", "host", "busybox", "cat", "/proc/net/dev");
    assert.ok(host.split("\n").length >= 3 && Math.abs(host.split("\n").length - own) <= own, host);
    await text("network", "rm", "inside");
  });

  test("an address that was asked for is given, and a network's settings are told as Docker tells them", async () => {
    await text(
      "network",
      "create",
      "--subnet",
      "10.213.7.0/24",
      "--label",
      "a=b",
      "--opt",
      "com.docker.network.driver.mtu=1400",
      "fixed",
    );
    const show = await text("run", "--rm", "--network", "fixed", "--ip", "10.213.7.77", "busybox", "ip", "addr", "show", "eth0");
    assert.match(show, /mtu 1400 /);
    assert.match(show, /inet 10\.213\.7\.77\/24 /);
    assert.equal(
      await text("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}} {{.Labels}}", "fixed"),
      "10.213.7.1 map[a:b]",
    );
    assert.equal(
      await text("network", "ls", "--filter", "label=a=b", "--format", "{{.Name}} {{.Driver}} {{.Scope}}"),
      "fixed bridge local",
    );
    assert.match(await refused("network", "create", "fixed"), /network with name fixed already exists/);
    assert.match(await refused("network", "rm", "bridge"), /bridge is a pre-defined network and cannot be removed/);
    assert.equal(await text("network", "prune", "-f"), "Deleted Networks:\nfixed");
  });

  test("a volume outlives its containers, is shared between them, and goes when nobody uses it", async () => {
    const write =
      "echo kept > /data/file && chown 1234:1234 /data/file && chmod 600 /data/file && mkdir -m 700 /data/own && chown 1234 /data/own";
    await text("run", "--name", "writer", "-v", "kept:/data", "busybox", "sh", "-c", write);
    assert.equal(await text("run", "--rm", "-v", "kept:/other:ro", "busybox", "cat", "/other/file"), "kept");
    assert.match(await refused("volume", "rm", "kept"), /remove kept: volume is in use - \[[0-9a-f]{64}\]/);
    assert.equal(await text("volume", "ls", "-q", "--filter", "dangling=false"), "kept");
    assert.equal(await text("volume", "prune", "-af"), "Total reclaimed space: 0B");
    await text("rm", "writer");
    const anonymous = await text("volume", "create");
    assert.match(anonymous, /^[0-9a-f]{64}$/);
    assert.match(await text("volume", "prune", "-f"), new RegExp(`^Deleted Volumes:\n${anonymous}\n`));
    assert.equal(await text("volume", "rm", "kept"), "kept");
    assert.deepEqual(readdirSync(box.path("store/volumes")), []);
  });

  test("with the last container nothing is left: no process, no link, no rule", async () => {
    await removeContainers(box);
    const left = () => readdirSync(box.path("store/networks")).filter((name) => name !== "lock");
    for (const begin = Date.now(); left().length > 0; await sleep(100)) assert.ok(Date.now() - begin < 120_000, left().join(" "));
    await box.checkLeaks();
    if (box.way.name === "as root") {
      const marks = [
        execFileSync("ip", ["-o", "link"], { encoding: "utf8" }),
        execFileSync("nft", ["list", "tables"], { encoding: "utf8" }),
      ];
      const mark = /varve.[0-9a-f]{12}/g;
      const mine = createHash("sha256").update(box.path("store")).digest("hex").slice(0, 12);
      for (const found of marks.flatMap((listed) => listed.match(mark) ?? [])) assert.notEqual(found.slice(6), mine);
    }
  });
});
