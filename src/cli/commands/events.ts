import { setTimeout as sleep } from "node:timers/promises";
import type { Container } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { formatNanoseconds } from "../docker/event-time.ts";
import { compareContainers, type ContainerEvent } from "../docker/container-events.ts";
import { compileTemplate } from "../format/template.ts";

/** Nobody tells of changes: they are looked for. */
const lookMs = 200;

const filterNames = ["container", "event", "image", "label", "type"];

export const events = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    filter: { kind: "list", short: "f", help: "Print only what meets a condition: container, event, image, label, type" },
    format: { kind: "string", help: "Print each event by a template, or as json" },
    since: { kind: "string", help: "Show what happened since a time", only: [] },
    until: { kind: "string", help: "End at a time", only: [] },
  },
  args: { min: 0, max: 0 },
  failureExitCode: 1,
  async run({ flags, io, openStore }) {
    const render = flags.format === undefined ? printEvent : compileTemplate(flags.format);
    const accepts = readFilters(flags.filter);
    const { containers } = await openStore();
    let known: ReadonlyMap<string, Container> | undefined;
    while (!io.signal.aborted) {
      const now = new Map((await containers.list()).map((container) => [container.id, container]));
      if (known !== undefined)
        for (const event of compareContainers(known, now, io.now())) {
          if (accepts(event)) await io.stdout.write(Buffer.from(`${render(event)}\n`));
        }
      known = now;
      await sleep(lookMs, undefined, { signal: io.signal }).catch(() => undefined); // only an abort ends it early, which ends the loop
    }
  },
});

/** Docker's plain line: time, kind, action, ID, and the attributes. */
function printEvent(event: unknown): string {
  const { timeNano, Type, Action, Actor } = event as ContainerEvent;
  const attributes = [...Actor.Attributes].toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `${formatNanoseconds(timeNano)} ${Type} ${Action} ${Actor.ID} (${attributes.map(([key, value]) => `${key}=${value}`).join(", ")})`;
}

/** Conditions of one name are alternatives, those of several names must all hold. */
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
      event: (value) => event.Action === value,
      image: (value) => event.from === value,
      label: (value) => {
        const [key = "", expected] = value.split(/=(.*)/s);
        const found = event.Actor.Attributes.get(key);
        return found !== undefined && (expected === undefined || found === expected);
      },
      type: (value) => event.Type === value,
    };
    return [...wanted].every(([name, values]) => values.some((value) => fits[name]?.(value) === true));
  };
}
