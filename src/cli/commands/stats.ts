import { setTimeout as sleep } from "node:timers/promises";
import { isVarveError } from "../../errors/index.ts";
import type { Container, Containers, ContainerStats } from "../../containers/index.ts";
import { defineCommand } from "../command.ts";
import { compileListing } from "../format/listing.ts";
import { formatBinarySize, formatSize } from "../format/sizes.ts";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { Io } from "../io.ts";

/** Between two looks: what CPU time went by meanwhile is the use of CPUs. */
const lookMs = 500;
const repeatMs = 500;

export const statsFlags = {
  all: { kind: "bool", short: "a", help: "Show containers that do not run, too" },
  format: { kind: "string", help: "Print each container by a template, or as table or json" },
  "no-stream": { kind: "bool", help: "Print once" },
  "no-trunc": { kind: "bool", help: "Show whole IDs" },
} as const satisfies FlagTable;

export const stats = defineCommand({
  usage: "[OPTIONS] [CONTAINER...]",
  flags: statsFlags,
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run({ flags, args, io, openStore }) {
    const { containers } = await openStore();
    const names = [...new Set(args)];
    await showStats(containers, {
      flags,
      io,
      endsWithThem: names.length > 0,
      async choose() {
        if (names.length > 0)
          return await Promise.all(names.map(async (asked) => ({ found: await containers.get(asked), asked })));
        return (await containers.list())
          .filter(({ state }) => flags.all === true || state.pid !== undefined)
          .map((found) => ({ found }));
      },
    });
  },
});

/** A container whose use is shown, and what it is called in the column `Container`; default its ID as it is shown. */
export interface StatsChoice {
  readonly found: Container;
  readonly asked?: string;
}

/** Shows what containers use, once or again and again; `choose` is asked each time. */
export async function showStats(
  containers: Containers,
  options: {
    readonly flags: FlagValues<typeof statsFlags>;
    readonly io: Io;
    readonly choose: () => Promise<readonly StatsChoice[]>;
    /** It ends when none of them runs. */
    readonly endsWithThem?: boolean;
  },
): Promise<void> {
  const { flags, io, choose, endsWithThem = false } = options;
  const print = compileListing<StatsRow>(flags.format);
  for (;;) {
    const rows = await look(containers, await choose(), { noTrunc: flags["no-trunc"] === true, signal: io.signal });
    const clear = flags["no-stream"] !== true && io.stdout.isTerminal ? "\u001b[H\u001b[J" : "";
    io.stdout.print(clear + print({ rows, headings, columns }));
    if (flags["no-stream"] === true || (endsWithThem && rows.every(({ PIDs }) => PIDs === "0"))) return;
    await sleep(repeatMs, undefined, { signal: io.signal });
  }
}

const headings = {
  Container: "CONTAINER",
  ID: "CONTAINER ID",
  Name: "NAME",
  CPUPerc: "CPU %",
  MemUsage: "MEM USAGE / LIMIT",
  MemPerc: "MEM %",
  NetIO: "NET I/O",
  BlockIO: "BLOCK I/O",
  PIDs: "PIDS",
};

const columns = ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"] as const;

/** A line of `varve stats`; the names of the fields are those of Docker's templates. */
interface StatsRow {
  readonly BlockIO: string;
  readonly CPUPerc: string;
  readonly Container: string;
  readonly ID: string;
  readonly MemPerc: string;
  readonly MemUsage: string;
  readonly Name: string;
  readonly NetIO: string;
  /** Text, as in all other columns. */
  readonly PIDs: string;
}

async function look(
  containers: Containers,
  chosen: readonly StatsChoice[],
  { noTrunc, signal }: { readonly noTrunc: boolean; readonly signal: AbortSignal },
): Promise<readonly StatsRow[]> {
  const sample = async (): Promise<readonly (ContainerStats | undefined)[]> =>
    await Promise.all(chosen.map(async ({ found }) => await statsOf(containers, found)));
  const before = await sample();
  await sleep(lookMs, undefined, { signal });
  const after = await sample();
  return chosen.map(({ found, asked }, at) => {
    const id = noTrunc ? found.id : found.id.slice(0, 12);
    return describe({ id, container: asked ?? id, name: found.name }, before[at], after[at]);
  });
}

/** Undefined of one that does not run, or has ended meanwhile. */
async function statsOf(containers: Containers, { id, state }: Container): Promise<ContainerStats | undefined> {
  if (state.pid === undefined) return undefined;
  try {
    return await containers.stats(id);
  } catch (error) {
    if (isVarveError(error) && ["CONTAINER_CONFLICT", "CONTAINER_NOT_FOUND"].includes(error.code)) return undefined;
    throw error;
  }
}

function describe(
  { id, container, name }: { readonly id: string; readonly container: string; readonly name: string },
  before: ContainerStats | undefined,
  after: ContainerStats | undefined,
): StatsRow {
  const share =
    before === undefined || after === undefined || after.timeMs <= before.timeMs
      ? 0
      : (after.cpuNs - before.cpuNs) / ((after.timeMs - before.timeMs) * 1e6);
  const {
    memoryBytes = 0,
    memoryLimitBytes = 0,
    receivedBytes = 0,
    sentBytes = 0,
    readBytes = 0,
    writtenBytes = 0,
  } = after ?? {};
  const percent = (part: number): string => `${(part * 100).toFixed(2)}%`;
  return {
    BlockIO: `${formatSize(readBytes)} / ${formatSize(writtenBytes)}`,
    CPUPerc: percent(Math.max(share, 0)),
    Container: container,
    ID: id,
    MemPerc: percent(memoryLimitBytes === 0 ? 0 : memoryBytes / memoryLimitBytes),
    MemUsage: `${formatBinarySize(memoryBytes)} / ${formatBinarySize(memoryLimitBytes)}`,
    Name: name,
    NetIO: `${formatSize(receivedBytes)} / ${formatSize(sentBytes)}`,
    PIDs: String(after?.processes ?? 0),
  };
}
