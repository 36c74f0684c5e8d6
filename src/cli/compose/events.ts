import type { ContainerEvent } from "../../containers/index.ts";
import { defineCommand } from "../command.ts";
import { readLogTime } from "../containers/log-time.ts";
import { optional } from "../store.ts";
import { openContext } from "./open-context.ts";
import { readProjectOrName } from "./open-project.ts";

export const composeEvents = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  flags: {
    json: { kind: "bool", help: "Output events as a stream of json objects" },
    since: { kind: "string", help: "Show first what has happened since a time" },
    until: { kind: "string", help: "Stream events until this timestamp" },
  },
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args, io } = call;
    const time = (flag: "since" | "until"): number | undefined =>
      flags[flag] === undefined || flags[flag] === "" ? undefined : readLogTime(flag, flags[flag], io.now());
    const period = { ...optional("sinceMs", time("since")), ...optional("untilMs", time("until")) };
    const { labels } = await import("../../compose/index.ts");
    const context = await openContext(call, await readProjectOrName(call));
    const print = flags.json === true ? jsonLine : plainLine;
    for await (const event of context.engine.containers.events({ ...period, signal: io.signal })) {
      const { attributes } = event;
      const service = attributes[labels.service] ?? "";
      const isMeant =
        attributes[labels.project] === context.project.name &&
        attributes[labels.oneOff] !== "True" &&
        (args.length === 0 || args.includes(service));
      if (isMeant) await io.stdout.write(Buffer.from(print(event, service)));
    }
  },
});

/** Those that Compose itself has given say nothing new. */
function attributesOf({ attributes }: ContainerEvent): readonly (readonly [name: string, value: string])[] {
  return Object.entries(attributes)
    .filter(([name]) => !name.startsWith("com.docker.compose."))
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
}

function jsonLine(event: ContainerEvent, service: string): string {
  const time = new Date(event.timeMs).toISOString();
  const attributes = Object.fromEntries(attributesOf(event));
  return `${JSON.stringify({ action: event.action, attributes, id: event.id, service, time, type: "container" })}\n`;
}

/** In this machine's time; there is an empty line after each, as Docker Compose has it. */
function plainLine(event: ContainerEvent): string {
  const date = new Date(event.timeMs);
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  const time = `${day} ${clock}.${String(date.getMilliseconds()).padStart(3, "0")}000`;
  const attributes = attributesOf(event).map(([name, value]) => `${name}=${value}`);
  return `${time} container ${event.action} ${event.id} (${attributes.join(", ")})\n\n`;
}
