import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkSubnet } from "./check-subnet.ts";
import { chooseSubnet, routedSubnets } from "./choose-subnet.ts";
import { contains, formatCidr, formatIpv4, lastOf, overlaps, parseCidr, parseIpv4 } from "./ipv4.ts";
import { macOf, takeAddress } from "./take-address.ts";

test("addresses are read as they are written, and nothing else is one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (address) => {
      assert.equal(parseIpv4(formatIpv4(address)), address);
    }),
  );
  for (const text of ["", "1.2.3", "1.2.3.256", "1.2.3.4.5", "::1", "1.2.3.4/8"]) assert.equal(parseIpv4(text), undefined, text);
  for (const text of ["1.2.3.4", "1.2.3.4/33", "1.2.3.4/", "/8", "1.2.3.4/8/8"]) assert.equal(parseCidr(text), undefined, text);
});

test("two networks overlap where they have an address in common", () => {
  const cidr = fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 20, max: 32 }));
  fc.assert(
    fc.property(cidr, cidr, ([one, oneLength], [other, otherLength]) => {
      const left = parseCidr(`${formatIpv4(one)}/${oneLength}`);
      const right = parseCidr(`${formatIpv4(other % 2 ** 13)}/${otherLength}`);
      assert.ok(left !== undefined && right !== undefined);
      const common = contains(left, right.first) || contains(left, lastOf(right)) || contains(right, left.first);
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
  assert.equal(checkSubnet([]), undefined);
  assert.equal(checkSubnet([{}]), undefined);
  assert.deepEqual(checkSubnet([{ subnet: "10.9.0.0/16" }]), { subnet: "10.9.0.0/16", gateway: "10.9.0.1" });
  assert.deepEqual(checkSubnet([{ subnet: "10.9.0.0/16", gateway: "10.9.0.9", ipRange: "10.9.4.0/24" }]), {
    subnet: "10.9.0.0/16",
    gateway: "10.9.0.9",
    ipRange: "10.9.4.0/24",
  });
  const refused = [
    [{ gateway: "10.1.1.1" }, "every ip-range or gateway must have a corresponding subnet"],
    [{ subnet: "10.1.1.5/24" }, "invalid network config:\ninvalid subnet 10.1.1.5/24: it should be 10.1.1.0/24"],
    [{ subnet: "foo" }, "invalid network config:\ninvalid subnet foo: invalid CIDR block notation"],
    [{ subnet: "10.1.1.0/24", gateway: "10.2.2.2" }, "no matching subnet for gateway 10.2.2.2"],
    [{ subnet: "10.1.1.0/24", ipRange: "10.2.0.0/24" }, "no matching subnet for range 10.2.0.0/24"],
    [{ subnet: "10.1.1.0/31" }, "the subnet 10.1.1.0/31 has no room for a gateway and a container"],
    [{ subnet: "fd00::/64" }, "networks have IPv4 addresses only"],
  ] as const;
  for (const [wish, message] of refused) assert.throws(() => checkSubnet([wish]), { message });
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
  assert.equal(macOf("172.18.0.2"), "02:42:ac:12:00:02");
});
