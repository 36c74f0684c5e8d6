import { needsArgument, readJsonList, type Check } from "./check.ts";
import { readFlags } from "./flags.ts";
import type { HealthcheckInstruction } from "./instructions.ts";
import { parseDuration } from "../units/index.ts";
import { isSpace, skipSpace } from "./white-space.ts";

const minNanoseconds = 1e6;

/** HEALTHCHECK (I15): `NONE`, or `CMD` with a command in exec or shell form. */
export function checkHealthcheck(check: Check): HealthcheckInstruction {
  const { rest } = check.node;
  const flags = readFlags(check, {
    interval: "string",
    timeout: "string",
    "start-period": "string",
    "start-interval": "string",
    retries: "string",
  });
  let end = 0;
  while (end < rest.length && !isSpace(rest[end]!)) end++;
  const type = rest.slice(0, end).toUpperCase();
  const command = rest.slice(skipSpace(rest, end));
  if (type === "") throw needsArgument(check);
  const none = { interval: undefined, timeout: undefined, startPeriod: undefined, startInterval: undefined, retries: undefined };
  if (type === "NONE") {
    if (command !== "") throw check.fail("DOCKERFILE_SYNTAX", "HEALTHCHECK NONE takes no arguments");
    return { ...check.base, kind: "healthcheck", test: ["NONE"], ...none };
  }
  if (type !== "CMD") {
    throw check.fail("DOCKERFILE_SYNTAX", `Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  }
  const args = readJsonList(check, command);
  if (command === "" || args?.length === 0) throw check.fail("DOCKERFILE_SYNTAX", "Missing command after HEALTHCHECK CMD");
  return {
    ...check.base,
    kind: "healthcheck",
    test: args === undefined ? ["CMD-SHELL", command] : ["CMD", ...args],
    interval: readInterval(check, "interval", flags.interval),
    timeout: readInterval(check, "timeout", flags.timeout),
    startPeriod: readInterval(check, "start-period", flags["start-period"]),
    startInterval: readInterval(check, "start-interval", flags["start-interval"]),
    retries: readRetries(check, flags.retries),
  };
}

function readInterval(check: Check, name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const duration = parseDuration(text);
  if (duration === undefined) {
    throw check.fail("DOCKERFILE_FLAG", `invalid duration ${JSON.stringify(text)} for --${name}`, {
      hint: "durations have units, for example 30s or 1m30s",
    });
  }
  if (duration !== 0 && duration < minNanoseconds) {
    throw check.fail("DOCKERFILE_FLAG", `Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  }
  return duration;
}

function readRetries(check: Check, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const retries = /^[-+]?\d+$/.test(text) ? Number(text) : NaN;
  if (!(Math.abs(retries) < 2 ** 31)) {
    throw check.fail("DOCKERFILE_FLAG", `invalid number ${JSON.stringify(text)} for --retries`);
  }
  if (retries < 0) throw check.fail("DOCKERFILE_FLAG", `--retries cannot be negative (${retries})`);
  return retries;
}
