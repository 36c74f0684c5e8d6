import assert from "node:assert/strict";
import { test } from "node:test";
import { isVarveError } from "../errors/index.ts";
import { makeHosts, makeResolvConf } from "./network-files.ts";

const files = (table: Record<string, string>) => (path: string) => table[path];
const stub = "nameserver 127.0.0.53\noptions edns0\n";

test("R10 resolv.conf: on the host's network the host's own, else the servers that systemd-resolved asks", () => {
  const read = files({ "/etc/resolv.conf": stub, "/run/systemd/resolve/resolv.conf": "nameserver 9.9.9.9\nsearch lan\n" });
  assert.equal(makeResolvConf("host", read), stub);
  assert.equal(makeResolvConf("none", read), "nameserver 9.9.9.9\nsearch lan\n");
  assert.equal(
    makeResolvConf("none", files({ "/etc/resolv.conf": "nameserver ::1\nnameserver 1.1.1.1\n" })),
    "nameserver 1.1.1.1\n",
  );
  assert.equal(makeResolvConf("host", files({})), "");
});

test("R10 hosts: itself, then the extra ones; what is no address is refused", () => {
  const hosts = makeHosts({
    hostname: "me",
    extraHosts: [
      { host: "db", ip: "10.0.0.1" },
      { host: "six", ip: "fd00::1" },
    ],
  });
  assert.equal(hosts, "127.0.0.1\tlocalhost me\n::1\tlocalhost ip6-localhost ip6-loopback\n10.0.0.1\tdb\nfd00::1\tsix\n");
  for (const extra of [
    { host: "up", ip: "host-gateway" },
    { host: "a b", ip: "10.0.0.1" },
    { host: "", ip: "10.0.0.1" },
  ]) {
    assert.throws(
      () => makeHosts({ hostname: "", extraHosts: [extra] }),
      (error) => isVarveError(error) && error.code === "RUNTIME_HOST",
    );
  }
});
