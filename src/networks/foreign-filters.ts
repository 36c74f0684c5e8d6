import { readFileSync } from "node:fs";
import { findProgram, runIn, runProgram, type Place } from "./programs.ts";

/**
 * What lets the packets of our bridges pass where another's filter drops all that is forwarded: a packet goes through every table,
 * and an accept in ours ends only ours. Docker does so, and leaves the chain DOCKER-USER to others (Docker docs, "Packet filtering
 * and firewalls"); without that chain it is FORWARD itself. The rules carry the store's mark, and go with the last bridge.
 */
export async function settleForeignFilters(place: Place, mark: string, bridges: readonly string[]): Promise<void> {
  const iptables = findProgram("iptables", place.path);
  if (iptables === undefined || !(await hasFilter(place))) return;
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
async function hasFilter(place: Place): Promise<boolean> {
  const tables = await runIn(place, "nft", ["list", "tables", "ip"]);
  return /^table ip filter$/m.test(tables) || readOrEmpty("/proc/net/ip_tables_names").split("\n").includes("filter");
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
