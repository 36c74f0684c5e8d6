import { readFileSync } from "node:fs";
import { findProgram, runIn, runProgram, type Place } from "./programs.ts";

/** The two filters that iptables(8) and ip6tables(8) keep. */
const families = [
  { family: "ip", program: "iptables", names: "/proc/net/ip_tables_names" },
  { family: "ip6", program: "ip6tables", names: "/proc/net/ip6_tables_names" },
] as const;

export interface FilteredBridge {
  readonly name: string;
  readonly ipv6: boolean;
}

/**
 * What lets the packets of our bridges pass where another's filter drops all that is forwarded: a packet goes through every table,
 * and an accept in ours ends only ours. Docker does so, and leaves the chain DOCKER-USER to others (Docker docs, "Packet filtering
 * and firewalls"); without that chain it is FORWARD itself. The rules carry the store's mark, and go with the last bridge. Returns
 * the chains that drop what is forwarded and are nobody's to change: `inet firewalld filter_FORWARD`.
 */
export async function settleForeignFilters(
  place: Place,
  mark: string,
  bridges: readonly FilteredBridge[],
): Promise<{ readonly dropping: readonly string[] }> {
  const chains = await runIn(place, "nft", ["list", "chains"]);
  const settled = new Set<string>();
  for (const { family, program, names } of families) {
    const iptables = findProgram(program, place.path);
    if (iptables === undefined || !hasFilter(chains, family, names)) continue;
    const passing = bridges.filter(({ ipv6 }) => ipv6 || family === "ip").map(({ name }) => name);
    await letPass(iptables, mark, passing);
    settled.add(`${family} filter FORWARD`);
  }
  return { dropping: bridges.length === 0 ? [] : findDropping(chains).filter((chain) => !settled.has(chain)) };
}

async function letPass(iptables: string, mark: string, bridges: readonly string[]): Promise<void> {
  const run = async (...args: readonly string[]): Promise<string> => await runProgram([iptables, "--wait", ...args]);
  const rules = (await run("--list-rules")).split("\n");
  const chain = rules.includes("-N DOCKER-USER") ? "DOCKER-USER" : "FORWARD";
  const drops = rules.some((rule) => rule === "-P FORWARD DROP" || /^-A FORWARD .*-j (?:DROP|REJECT)/.test(rule));
  const wanted = chain === "DOCKER-USER" || drops ? bridges.flatMap((name) => [`-i ${name}`, `-o ${name}`]) : [];
  const comment = ["-m", "comment", "--comment", mark];
  const present = rules.flatMap((rule) => {
    const match = /^-A (\S+) (-[io] \S+) -m comment --comment (\S+) -j ACCEPT$/.exec(rule);
    return match?.[3] === mark ? [{ chain: match[1] ?? "", what: match[2] ?? "" }] : [];
  });
  for (const rule of present) {
    if (rule.chain === chain && wanted.includes(rule.what)) continue;
    await run("--delete", rule.chain, ...rule.what.split(" "), ...comment, "--jump", "ACCEPT");
  }
  for (const what of wanted) {
    if (present.some((rule) => rule.chain === chain && rule.what === what)) continue;
    await run("--insert", chain, ...what.split(" "), ...comment, "--jump", "ACCEPT");
  }
}

/** Whether there is such a table at all: asking iptables for one that is not there may make it. */
function hasFilter(chains: string, family: string, names: string): boolean {
  return new RegExp(`^table ${family} filter \\{$`, "m").test(chains) || readOrEmpty(names).split("\n").includes("filter");
}

/** Chains of others, as `nft list chains` prints them, that drop what no rule of theirs lets pass. Exported for its test. */
export function findDropping(chains: string): readonly string[] {
  const dropping: string[] = [];
  let [table, chain] = ["", ""];
  for (const line of chains.split("\n")) {
    table = /^table (.+) \{$/.exec(line)?.[1] ?? table;
    chain = /^\s+chain (\S+) \{/.exec(line)?.[1] ?? chain;
    if (/hook forward .*policy drop/.test(line)) dropping.push(`${table} ${chain}`);
  }
  return dropping;
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
