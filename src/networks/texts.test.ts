import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkWords } from "./check-words.ts";
import { readResolver, writeFiles } from "./container-files.ts";
import { findDropping } from "./foreign-filters.ts";
import { writeNames } from "./names.ts";
import type { NetworkRow } from "./network-rows.ts";
import { tableName, writeRules } from "./rules.ts";

const bridge = { name: "vbr0", subnets: ["172.18.0.0/16"], internal: false, masquerade: true };

test("rules replace the whole table of a store at once, and none are none", () => {
  assert.equal(tableName("varve-12ab"), "varve_12ab");
  assert.equal(writeRules("varve_x", [], []), "table inet varve_x {}\ndelete table inet varve_x\n");
  const text = writeRules("varve_x", [bridge], []);
  assert.ok(text.startsWith("table inet varve_x {}\ndelete table inet varve_x\ntable inet varve_x {\n"), text);
});

test("a published port leads to its container from the address that it is published at only", () => {
  const port = { containerPort: 80, protocol: "tcp", targetIp: "172.18.0.2" } as const;
  const text = writeRules(
    "t",
    [bridge],
    [
      { ...port, hostIp: "0.0.0.0", hostPort: 8080 },
      { ...port, hostIp: "127.0.0.1", hostPort: 8081, protocol: "udp" },
    ],
  );
  assert.match(text, /^ +meta nfproto ipv4 tcp dport 8080 dnat ip to 172\.18\.0\.2:80$/m);
  assert.match(text, /^ +ip daddr 127\.0\.0\.1 meta nfproto ipv4 udp dport 8081 dnat ip to 172\.18\.0\.2:80$/m);
});

test("by IPv6 a port leads to the container's IPv6 address, and what no rule can lead is left to the process that holds the port", () => {
  const port = { hostPort: 8080, containerPort: 80, protocol: "tcp", targetIp: "fd00:1::2" } as const;
  const text = writeRules(
    "t",
    [{ ...bridge, subnets: [...bridge.subnets, "fd00:1::/64"] }],
    [
      { ...port, hostIp: "::" },
      { ...port, hostIp: "2001:db8::1" },
      { ...port, hostIp: "::1" },
    ],
  );
  const rules = text.split("\n").filter((line) => line.includes("dnat ip6"));
  assert.deepEqual(
    rules.map((line) => line.trim()),
    [
      "ip6 daddr != ::1 ip6 saddr != fe80::/10 tcp dport 8080 dnat ip6 to [fd00:1::2]:80",
      "ip6 daddr 2001:db8::1 ip6 saddr != fe80::/10 tcp dport 8080 dnat ip6 to [fd00:1::2]:80",
    ],
  );
  assert.match(text, /^ +ip6 saddr fd00:1::\/64 oifname != "vbr0" masquerade$/m);
});

test("what comes from elsewhere finds no port that is published at 127.0.0.1", () => {
  const text = writeRules("t", [bridge], []);
  assert.match(text, /chain incoming \{\n[^}]*ip daddr != 127\.0\.0\.0\/8 fib daddr type local jump published/);
});

test("an internal network is neither translated nor passed, whatever else is", () => {
  const text = writeRules("t", [bridge, { ...bridge, name: "vbr1", subnets: ["172.19.0.0/16"], internal: true }], []);
  assert.match(text, /ip saddr 172\.18\.0\.0\/16 oifname != "vbr0" masquerade/);
  assert.doesNotMatch(text, /ip saddr 172\.19\.0\.0\/16 oifname != "vbr1" masquerade/);
  const passing = text.slice(text.indexOf("chain passing"));
  assert.ok(passing.indexOf('oifname "vbr1" drop') < passing.indexOf('oifname "vbr1" ct state'), passing);
});

test("a firewall of others that drops what is forwarded is found, whoever keeps it", () => {
  const text = `table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
	chain DOCKER-USER {
	}
}
table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy drop;
	}
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy drop;
	}
}
table inet varve_x {
	chain passing {
		type filter hook forward priority filter; policy accept;
	}
}
`;
  assert.deepEqual(findDropping(text), ["ip filter FORWARD", "inet firewalld filter_FORWARD"]);
  assert.deepEqual(findDropping(""), []);
});

test("names are written as aardvark-dns reads them", () => {
  const containers = [
    { id: "aa", ipv4: "172.18.0.2", ipv6: undefined, names: ["web", "www"], servers: [] },
    { id: "bb", ipv4: "172.18.0.3", ipv6: "fd00::3", names: ["db"], servers: ["9.9.9.9", "1.1.1.1"] },
  ];
  const text = "172.18.0.1\naa 172.18.0.2  web,www\nbb 172.18.0.3 fd00::3 db 9.9.9.9,1.1.1.1\n";
  assert.equal(writeNames({ file: "vbr0", gateway: "172.18.0.1", containers }), text);
});

const attachment = {
  containerId: "aa",
  containerName: "web",
  hostname: "web",
  networks: [],
  ports: [],
  extraHosts: [
    { host: "other", ip: "10.0.0.9" },
    { host: "machine", ip: "host-gateway" },
  ],
  dns: ["9.9.9.9"],
  dnsSearch: ["example.org"],
  dnsOptions: ["timeout:1"],
};
const endpoint = {
  network: "bridge",
  networkId: "n",
  ipv4: "172.17.0.2",
  prefixLength: 16,
  gateway: "172.17.0.1",
  macAddress: "",
  aliases: [],
};
const network: Omit<NetworkRow, "predefined"> = {
  id: "n",
  name: "bridge",
  driver: "bridge",
  createdMs: 0,
  labels: {},
  options: {},
  internal: false,
  attachable: false,
  subnets: [{ subnet: "172.17.0.0/16", gateway: "172.17.0.1" }],
  chosen: true,
  ipv6: false,
  chosenIpv6: false,
  bridge: "vbr0",
};

test("a container on the default network asks the servers that it named, one on a network of its own the network", () => {
  const onDefault = writeFiles(attachment, {
    kind: "bridge",
    networks: [{ ...network, predefined: true }],
    endpoints: [endpoint],
    isRoot: true,
  });
  assert.equal(onDefault.resolvConf, "nameserver 9.9.9.9\nsearch example.org\noptions timeout:1\n");
  assert.equal(onDefault.hostnameFile, "web\n");
  assert.match(onDefault.hosts, /^127\.0\.0\.1\tlocalhost\n/);
  assert.match(onDefault.hosts, /\n10\.0\.0\.9\tother\n172\.17\.0\.1\tmachine\n172\.17\.0\.2\tweb\n$/);
  const onOwn = writeFiles(attachment, {
    kind: "bridge",
    networks: [{ ...network, predefined: false }],
    endpoints: [endpoint],
    isRoot: true,
  });
  assert.equal(onOwn.resolvConf, "nameserver 172.17.0.1\nsearch example.org\noptions timeout:1 ndots:0\n");
});

test("whatever names are strange, each text keeps its lines: or they are refused", () => {
  const pieces = ["a", "web", " ", "\n", "\r", "\t", ",", "#", "1.2.3.4", "\u0000", "\u2028", '"', ";", "{", "\\", "-", ".", "ü"];
  const strange = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...pieces)).map((words) => words.join("")),
  );
  const lines = (text: string): number => text.split(/[\n\r\u2028\u2029\u0085]/).length;
  const place = { kind: "bridge", networks: [{ ...network, predefined: true }], endpoints: [endpoint], isRoot: true } as const;
  const plain = writeFiles(attachment, place);
  fc.assert(
    fc.property(strange, strange, strange, strange, (hostname, host, search, option) => {
      const extraHosts = [{ host, ip: "10.0.0.9" }, ...attachment.extraHosts.slice(1)];
      const asked = { ...attachment, hostname, extraHosts, dnsSearch: [search], dnsOptions: [option] };
      const names = writeNames({
        file: "vbr0",
        gateway: "172.18.0.1",
        containers: [{ id: "aa", ipv4: "172.18.0.2", ipv6: undefined, names: ["web", hostname, host], servers: ["9.9.9.9"] }],
      });
      assert.match(names, /^172\.18\.0\.1\naa 172\.18\.0\.2 {2}web(?:,[\w.-]+){0,2} 9\.9\.9\.9\n$/);
      try {
        checkWords(asked);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "NETWORK_INVALID");
        return;
      }
      const written = writeFiles(asked, place);
      assert.equal(lines(written.hosts), lines(plain.hosts));
      assert.ok(lines(written.resolvConf) <= lines(plain.resolvConf));
    }),
  );
  assert.throws(() => checkWords({ ...attachment, dns: ["1.1.1.1\nnameserver 2.2.2.2"] }), { code: "NETWORK_INVALID" });
});

test("resolv.conf is read by its own rules: the last search list counts, and comments do not", () => {
  const text = "# nameserver 1.1.1.1\nnameserver 10.0.0.1\nsearch a b\nsearch c\noptions ndots:2 rotate\nnameserver 10.0.0.2\n";
  assert.deepEqual(readResolver(text), { servers: ["10.0.0.1", "10.0.0.2"], search: ["c"], options: ["ndots:2", "rotate"] });
});
