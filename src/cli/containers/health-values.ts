import type { ContainerRequest } from "../../containers/index.ts";
import { optional } from "../store.ts";
import type { ContainerFlags } from "./container-flags.ts";
import { readInteger, readNanoseconds, usage } from "./flag-values.ts";

const shortestNanos = 1_000_000;

/** The health check of `--health-…`, what they leave out from the image; `"none"` with `--no-healthcheck`. Times are nanoseconds. */
export function readHealth(flags: ContainerFlags): ContainerRequest["healthcheck"] {
  const time = (name: "interval" | "timeout" | "start-period" | "start-interval", title: string): number | undefined => {
    const nanos = readNanoseconds(flags[`health-${name}`], `--health-${name}`);
    if (nanos === undefined || nanos === 0) return undefined;
    if (nanos < 0) throw usage(`--health-${name} cannot be negative`);
    if (nanos < shortestNanos) throw usage(`${title} in Healthcheck cannot be less than 1ms`);
    return nanos;
  };
  const retries = readInteger(flags["health-retries"], "--health-retries");
  if (retries !== undefined && retries < 0) throw usage("--health-retries cannot be negative");
  const command = flags["health-cmd"];
  const health = {
    ...(command === undefined || command === "" ? {} : { Test: ["CMD-SHELL", command] }),
    ...optional("Interval", time("interval", "Interval")),
    ...optional("Timeout", time("timeout", "Timeout")),
    ...optional("StartPeriod", time("start-period", "StartPeriod")),
    ...optional("StartInterval", time("start-interval", "StartInterval")),
    ...optional("Retries", retries === 0 ? undefined : retries),
  };
  const isEmpty = Object.keys(health).length === 0;
  if (flags["no-healthcheck"] !== true) return isEmpty ? undefined : health;
  if (!isEmpty) throw usage("--no-healthcheck conflicts with --health-* options");
  return "none";
}
