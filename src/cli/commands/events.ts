import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { readLogTime } from "../containers/log-time.ts";
import { formatNanoseconds } from "../docker/event-time.ts";
import type { ContainerEvent } from "../docker/container-events.ts";
import { watchContainers } from "../docker/watch-containers.ts";
import { compileTemplate } from "../format/template.ts";
import { optional } from "../store.ts";

const filterNames = ["container", "event", "image", "label", "type"];

export const events = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    filter: { kind: "list", short: "f", help: "Print only what meets a condition: container, event, image, label, type" },
    format: { kind: "string", help: "Print each event by a template, or as json" },
    since: { kind: "string", help: "Show first what has happened since a time" },
    until: { kind: "string", help: "End at a time" },
  },
  args: { min: 0, max: 0 },
  failureExitCode: 1,
  async run({ flags, io, openStore }) {
    const render = flags.format === undefined ? printEvent : compileTemplate(flags.format);
    const accepts = readFilters(flags.filter);
    const time = (flag: "since" | "until"): number | undefined =>
      flags[flag] === undefined || flags[flag] === "" ? undefined : readLogTime(flag, flags[flag], io.now());
    const period = { ...optional("sinceMs", time("since")), ...optional("untilMs", time("until")) };
    const { containers } = await openStore();
    await watchContainers(containers, {
      ...period,
      signal: io.signal,
      async onEvent(event) {
        if (accepts(event)) await io.stdout.write(Buffer.from(`${render(event)}\n`));
      },
    });
  },
});

/** Docker's plain line: time, kind, action, ID, and the attributes. */
function printEvent(event: unknown): string {
  const { timeNano, Type, Action, Actor } = event as ContainerEvent;
  const attributes = [...Actor.Attributes].toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `${formatNanoseconds(timeNano)} ${Type} ${Action} ${Actor.ID} (${attributes.map(([key, value]) => `${key}=${value}`).join(", ")})`;
}

/** Actions that say more behind a colon. */
const wordyActions = new Set(["exec_create", "exec_start", "health_status"]);

/** Conditions of one name are alternatives, but for labels; those of several names must all hold. */
function readFilters(filters: readonly string[]): (event: ContainerEvent) => boolean {
  const wanted = new Map<string, string[]>();
  for (const filter of filters) {
    const at = filter.indexOf("=");
    const name = filter.slice(0, Math.max(at, 0));
    if (!filterNames.includes(name))
      throw new VarveError("USAGE", `invalid filter '${filter}'`, { hint: `filters are ${filterNames.join(", ")}` });
    wanted.set(name, [...(wanted.get(name) ?? []), filter.slice(at + 1)]);
  }
  return (event) => {
    const fits: Readonly<Record<string, (value: string) => boolean>> = {
      container: (value) => event.Actor.Attributes.get("name") === value || event.Actor.ID.startsWith(value),
      event: (value) => event.Action === value || (wordyActions.has(value) && event.Action.startsWith(`${value}:`)),
      image: (value) => event.from === value,
      label: (value) => {
        const [key = "", expected] = value.split(/=(.*)/s);
        const found = event.Actor.Attributes.get(key);
        return found !== undefined && (expected === undefined || found === expected);
      },
      type: (value) => event.Type === value,
    };
    return [...wanted].every(([name, values]) => {
      const holds = (value: string): boolean => fits[name]?.(value) === true;
      return name === "label" ? values.every(holds) : values.some(holds);
    });
  };
}
