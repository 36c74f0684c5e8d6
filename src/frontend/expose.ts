import { expandWords, type ExposeInstruction, type Linter } from "../dockerfile/index.ts";
import type { SourceRange } from "../errors/index.ts";
import { isIP } from "node:net";
import { invalidValue, type Compilation } from "./compilation.ts";
import { lookupIn } from "./environment.ts";
import { addHistory } from "./history.ts";
import { lintPort } from "./lint.ts";
import type { StageState } from "./stage.ts";

/** EXPOSE (I10): `port[-port][/protocol]`; a host part before a colon is checked and dropped. */
export function compileExpose(stage: StageState, instruction: ExposeInstruction, compilation: Compilation): void {
  const { where } = instruction;
  const env = lookupIn(stage.variables);
  const words = instruction.ports.flatMap(
    (port) => expandWords(port, env, { escape: compilation.dockerfile.escape, where }).words,
  );
  const ports = words.flatMap((word) => readPort(word, { linter: compilation.linter, where }));
  stage.image.config.ExposedPorts = Object.fromEntries([
    ...Object.entries(stage.image.config.ExposedPorts ?? {}),
    ...ports.map((port) => [port, {}] as const),
  ]);
  addHistory(stage, compilation, `EXPOSE [${ports.join(" ")}]`, { hasLayer: false });
}

function readPort(text: string, { linter, where }: { readonly linter: Linter; readonly where: SourceRange }): string[] {
  const fail = (problem: string): Error =>
    invalidValue(
      `invalid port ${JSON.stringify(text)}: ${problem}`,
      where,
      "write a port or a range of ports, for example 8080, 53/udp or 8000-8010",
    );
  const parts = text.split(":");
  const container = parts.at(-1) ?? "";
  const host = parts.length > 1 ? (parts.at(-2) ?? "") : "";
  const address = parts
    .slice(0, -2)
    .join(":")
    .replace(/^\[(.*)\]$/, "$1");
  const [range = "", protocol = "tcp"] = container.split(/\/(.*)/s);
  const known = (protocol === "" ? "tcp" : protocol).toLowerCase();
  if (range === "") throw fail("no port specified");
  if (!["tcp", "udp", "sctp"].includes(known)) throw fail(`invalid proto: ${protocol}`);
  lintPort(text, { protocol, isMapping: address !== "" || host !== "", linter, where });
  if (address !== "" && isIP(address) === 0) throw fail("the address is no IP address");
  const [start, end] = readRange(range) ?? [];
  if (start === undefined || end === undefined) throw fail("ports are numbers from 0 to 65535");
  if (host !== "") {
    const [hostStart, hostEnd] = readRange(host) ?? [];
    if (hostStart === undefined || hostEnd === undefined) throw fail("the port of the host is no port");
    if (end !== start && hostEnd - hostStart !== end - start) throw fail("the ranges of host and container differ in length");
  }
  return Array.from({ length: end - start + 1 }, (_, offset) => `${start + offset}/${known}`);
}

function readRange(text: string): [start: number, end: number] | undefined {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2] ?? match[1]);
  return start <= end && end <= 65535 ? [start, end] : undefined;
}
