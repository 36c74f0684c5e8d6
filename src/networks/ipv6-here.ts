import { readFileSync } from "node:fs";
import { VarveError } from "../errors/index.ts";

/** This machine's own IPv6 address, as /proc/net/if_inet6 has it. */
const loopback = /^0{31}1 /m;

/** Whether IPv6 is switched on: with it `::1` is there. */
export function hasIpv6(): boolean {
  try {
    return loopback.test(readFileSync("/proc/net/if_inet6", "latin1"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** Fails with NETWORK_UNSUPPORTED where IPv6 is switched off. */
export function needIpv6(what: string): void {
  if (hasIpv6()) return;
  throw new VarveError("NETWORK_UNSUPPORTED", `${what}: IPv6 is switched off on this machine`, {
    hint: "as root: sysctl net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0",
  });
}
