import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { contains, formatAddress, formatCidr, lastOf, overlaps, parseAddress, parseCidr, type Cidr } from "./addresses.ts";
import { checkSubnet, matchSubnets } from "./check-subnet.ts";
import { chooseSubnet, inventIpv6Subnet, routedSubnets } from "./choose-subnet.ts";
import { macOf, takeAddress } from "./take-address.ts";

const ipv4 = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => ({ family: 4 as const, value }));
const ipv6 = fc
  .array(fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 0xffffn })), { minLength: 8, maxLength: 8 })
  .map((words) => ({ family: 6 as const, value: words.reduce((sum, word) => sum * 0x10000n + word, 0n) }));

test("addresses are read as they are written, and nothing else is one", () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), (address) => {
      const text = formatAddress(address);
      assert.deepEqual(parseAddress(text), address);
      assert.equal(isIP(text), address.family);
    }),
  );
  for (const text of ["", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.4/8", "fe80::1%eth0", "::1::", "g::"])
    assert.equal(parseAddress(text), undefined, text);
  for (const text of ["1.2.3.4", "1.2.3.4/33", "1.2.3.4/", "/8", "1.2.3.4/8/8", "::/129", "::"])
    assert.equal(parseCidr(text), undefined, text);
});

test("IPv6 addresses are written in their one short form", () => {
  const forms = [
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["fd00:0:0:0:0:0:0:0", "fd00::"],
    ["::ffff:1.2.3.4", "::ffff:102:304"],
  ] as const;
  for (const [text, short] of forms) assert.equal(formatAddress(parseAddress(text) ?? assert.fail(text)), short);
});

test("two networks overlap where they have an address in common", () => {
  const cidr = (address: typeof ipv4 | typeof ipv6, shortest: number, longest: number) =>
    fc.tuple(address, fc.integer({ min: shortest, max: longest })).map(([one, length]) => {
      const text = `${formatAddress({ ...one, value: one.value % 2n ** 13n })}/${length}`;
      return parseCidr(text) ?? assert.fail(text);
    });
  const pair = fc.oneof(
    fc.tuple(cidr(ipv4, 20, 32), cidr(ipv4, 20, 32)),
    fc.tuple(cidr(ipv6, 116, 128), cidr(ipv6, 116, 128)),
    fc.tuple(cidr(ipv4, 20, 32), cidr(ipv6, 116, 128)),
  );
  fc.assert(
    fc.property(pair, ([left, right]) => {
      const has = (outer: Cidr, { family }: Cidr, value: bigint) => contains(outer, { family, value });
      const common = has(left, right, right.first) || has(left, right, lastOf(right)) || has(right, left, left.first);
      assert.equal(overlaps(left, right), common);
      assert.equal(overlaps(right, left), common);
    }),
  );
});

test("a subnet is Docker's first pool that nobody has", () => {
  const pool = (text: string) => parseCidr(text) ?? assert.fail(text);
  assert.equal(formatCidr(chooseSubnet([]) ?? assert.fail()), "172.17.0.0/16");
  assert.equal(formatCidr(chooseSubnet([pool("172.17.4.0/24"), pool("172.18.0.0/15")]) ?? assert.fail()), "172.20.0.0/16");
  assert.equal(formatCidr(chooseSubnet([pool("172.16.0.0/12")]) ?? assert.fail()), "192.168.0.0/20");
  assert.equal(chooseSubnet([pool("172.16.0.0/12"), pool("192.168.0.0/16")]), undefined);
});

test("routes of the machine are read from its table, without the default one", () => {
  const line = (...fields: string[]) => ["eth0", ...fields, "0", "0", "0"].join("\t");
  const text = [
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT",
    line("00000000", "0100000A", "0003", "0", "0", "0", "00000000"),
    line("000011AC", "00000000", "0001", "0", "0", "0", "0000FFFF"),
    line("0100A8C0", "00000000", "0005", "0", "0", "0", "FFFFFFFF"),
    "",
  ].join("\n");
  assert.deepEqual(routedSubnets(text).map(formatCidr), ["172.17.0.0/16", "192.168.0.1/32"]);
});

test("what is asked for of a subnet is checked, in Docker's words", () => {
  assert.equal(checkSubnet({}), undefined);
  assert.deepEqual(checkSubnet({ subnet: "10.9.0.0/16" }), { subnet: "10.9.0.0/16", gateway: "10.9.0.1" });
  assert.deepEqual(checkSubnet({ subnet: "fd00:1:0::5/64" }), { subnet: "fd00:1::/64", gateway: "fd00:1::1" });
  const asked = { subnet: "10.9.0.0/16", gateway: "10.9.0.9", ipRange: "10.9.4.0/24" };
  assert.deepEqual(checkSubnet(asked), asked);
  const refused = [
    [{ gateway: "10.1.1.1" }, "every ip-range or gateway must have a corresponding subnet"],
    [{ subnet: "10.1.1.5/24" }, "invalid network config:\ninvalid subnet 10.1.1.5/24: it should be 10.1.1.0/24"],
    [{ subnet: "foo" }, "invalid network config:\ninvalid subnet foo: invalid CIDR block notation"],
    [{ subnet: "10.1.1.0/24", gateway: "10.2.2.2" }, "no matching subnet for gateway 10.2.2.2"],
    [{ subnet: "10.1.1.0/24", ipRange: "10.2.0.0/24" }, "no matching subnet for range 10.2.0.0/24"],
    [{ subnet: "10.1.1.0/31" }, "the subnet 10.1.1.0/31 has no room for a gateway and a container"],
    [{ subnet: "fd00::/127" }, "the subnet fd00::/127 has no room for a gateway and a container"],
    [{ subnet: "fd00::/64", gateway: "10.1.1.1" }, "no matching subnet for gateway 10.1.1.1"],
  ] as const;
  for (const [wish, message] of refused) assert.throws(() => checkSubnet(wish), { message });
});

test("gateways, ranges and reserved addresses go to the subnet that they are in", () => {
  const none = { subnets: [], gateways: [], ipRanges: [], auxiliary: {} };
  assert.deepEqual(matchSubnets(none), []);
  const wishes = matchSubnets({
    subnets: ["10.9.0.0/16", "fd00:1::/64"],
    gateways: ["fd00:1::9", "10.9.0.9"],
    ipRanges: ["10.9.4.0/24"],
    auxiliary: { printer: "10.9.0.3", other: "fd00:1::3" },
  });
  assert.deepEqual(wishes, [
    { subnet: "10.9.0.0/16", gateway: "10.9.0.9", ipRange: "10.9.4.0/24", auxiliary: { printer: "10.9.0.3" } },
    { subnet: "fd00:1::/64", gateway: "fd00:1::9", auxiliary: { other: "fd00:1::3" } },
  ]);
  const refused = [
    [{ ...none, gateways: ["10.1.1.1"] }, "every ip-range or gateway must have a corresponding subnet"],
    [{ ...none, subnets: ["10.9.0.0/16"], gateways: ["10.1.1.1"] }, "no matching subnet for gateway 10.1.1.1"],
    [{ ...none, subnets: ["10.9.0.0/16"], auxiliary: { a: "11.0.0.1" } }, "no matching subnet for aux-address 11.0.0.1"],
    [{ ...none, subnets: ["10.9.0.0/16", "10.9.1.0/24"] }, "multiple overlapping subnet configuration is not supported"],
    [
      { ...none, subnets: ["10.9.0.0/16", "10.8.0.0/16"], gateways: ["10.9.0.1", "10.9.0.2"] },
      "cannot configure multiple gateways (10.9.0.2, 10.9.0.1) for the same subnet (10.9.0.0/16)",
    ],
  ] as const;
  for (const [flags, message] of refused) assert.throws(() => matchSubnets(flags), { message });
});

test("an IPv6 subnet that nobody asked for is one for use inside a site", () => {
  assert.match(formatCidr(inventIpv6Subnet()), /^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/);
});

test("a container gets the first free address, or the one that it asks for", () => {
  const subnet = { subnet: "10.9.0.0/29", gateway: "10.9.0.1", auxiliary: { printer: "10.9.0.3" } };
  assert.equal(takeAddress(subnet, [], undefined), "10.9.0.2");
  assert.equal(takeAddress(subnet, ["10.9.0.2"], undefined), "10.9.0.4");
  assert.equal(takeAddress(subnet, [], "10.9.0.6"), "10.9.0.6");
  assert.equal(takeAddress({ ...subnet, ipRange: "10.9.0.4/30" }, [], undefined), "10.9.0.4");
  assert.throws(() => takeAddress(subnet, ["10.9.0.6"], "10.9.0.6"), { code: "NETWORK_ADDRESS_TAKEN" });
  assert.throws(() => takeAddress(subnet, [], "10.9.1.6"), { code: "NETWORK_INVALID" });
  const all = ["10.9.0.2", "10.9.0.4", "10.9.0.5", "10.9.0.6"];
  assert.throws(() => takeAddress(subnet, all, undefined), { code: "NETWORK_EXHAUSTED" });
  const subnet6 = { subnet: "fd00:1::/64", gateway: "fd00:1::1", ipRange: "fd00:1::/120", auxiliary: { printer: "fd00:1:0::2" } };
  assert.equal(takeAddress(subnet6, ["fd00:1::3"], undefined), "fd00:1::4");
  assert.equal(takeAddress(subnet6, [], "FD00:1:0:0::77"), "fd00:1::77");
  assert.throws(() => takeAddress(subnet6, [], "10.9.0.2"), { code: "NETWORK_INVALID" });
  assert.equal(macOf("172.18.0.2"), "02:42:ac:12:00:02");
});
