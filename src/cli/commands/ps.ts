import type { Container } from "../../containers/index.ts";
import type { Varve } from "../../engine/index.ts";
import { isVarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { readContainerFilters, type ContainerFilters } from "../containers/container-filters.ts";
import { containerHeadings, containerRow, type ContainerListRow } from "../containers/container-row.ts";
import { compileListing } from "../format/listing.ts";

export const ps = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    all: { kind: "bool", short: "a", help: "Show all containers (default shows just running)" },
    filter: { kind: "list", short: "f", help: "Show only what meets a condition: status, name, label, ancestor, health …" },
    format: { kind: "string", help: "Print each container by a template, or as table or json" },
    last: { kind: "string", short: "n", help: "Show n last created containers (includes all states)" },
    latest: { kind: "bool", short: "l", help: "Show the latest created container (includes all states)" },
    "no-trunc": { kind: "bool", help: "Don't truncate output" },
    quiet: { kind: "bool", short: "q", help: "Only display container IDs" },
    size: { kind: "bool", short: "s", help: "Display total file sizes" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const template = flags.quiet === true && flags.format === undefined ? "{{.ID}}" : flags.format;
    const print = compileListing<ContainerListRow>(flags.quiet === true ? "{{.ID}}" : template);
    const filters = readContainerFilters(flags.filter);
    const last = flags.latest === true ? 1 : Number(flags.last ?? -1);
    const all = flags.all === true || last > 0 || filters.asksForState;
    const store = await openStore();
    const listed = (await store.containers.list()).filter(({ state }) => all || isUp(state.status));
    const chosen = await selectContainers(store, listed, filters);
    const shown = last > 0 ? chosen.slice(0, last) : chosen;
    const withSize = flags.size === true || (flags.format?.includes(".Size") ?? false);
    const names = await namesOfImages(store);
    const rows = await Promise.all(
      shown.map(async (container) =>
        containerRow(container, {
          nowMs: io.now(),
          noTrunc: flags["no-trunc"] === true,
          isNamed: names(container),
          size: withSize ? await store.containers.size(container.id) : undefined,
        }),
      ),
    );
    const columns = [
      "ID",
      "Image",
      "Command",
      "RunningFor",
      "Status",
      "Ports",
      "Names",
      ...(withSize ? ["Size" as const] : []),
    ] as const;
    io.stdout.print(print({ rows, headings: containerHeadings, columns }));
  },
});

function isUp(status: Container["state"]["status"]): boolean {
  return status === "running" || status === "paused" || status === "restarting";
}

async function selectContainers(
  store: Varve,
  listed: readonly Container[],
  { accepts, before, since, ancestors }: ContainerFilters,
): Promise<readonly Container[]> {
  const timeOf = async (name: string): Promise<number> => (await store.containers.get(name)).createdMs;
  const beforeMs = Math.min(...(await Promise.all(before.map(timeOf))));
  const sinceMs = Math.max(...(await Promise.all(since.map(timeOf))));
  const images = (await Promise.all(ancestors.map(async (name) => await layersOf(store, name)))).filter(
    (found) => found !== undefined,
  );
  const own = new Map<string, readonly string[]>();
  const result: Container[] = [];
  for (const container of listed) {
    if (!accepts(container) || container.createdMs >= beforeMs || container.createdMs <= sinceMs) continue;
    const { imageId } = container.config;
    if (ancestors.length > 0) {
      const layers = own.get(imageId) ?? (await layersOf(store, imageId))?.layers ?? [];
      own.set(imageId, layers);
      if (!images.some((image) => image.id === imageId || image.layers.every((layer, index) => layers[index] === layer)))
        continue;
    }
    result.push(container);
  }
  return result;
}

/** What an image is made of; undefined where there is none of that name. */
async function layersOf(
  store: Varve,
  name: string,
): Promise<{ readonly id: string; readonly layers: readonly string[] } | undefined> {
  try {
    const { id, config } = await store.images.inspect(name);
    return { id, layers: config.rootfs.diff_ids };
  } catch (error) {
    if (isVarveError(error) && error.kind === "not-found") return undefined;
    throw error;
  }
}

/** Whether the name that a container was made with still stands for its image. */
export async function namesOfImages({ images }: Varve): Promise<(container: Container) => boolean> {
  const known = new Map((await images.list()).map(({ id, names }) => [id, names]));
  return ({ config: { image, imageId } }) => {
    const names = known.get(imageId);
    if (image.includes("@") || imageId.includes(image)) return true;
    return (
      names !== undefined &&
      (names.includes(image) ||
        names.includes(`${image}:latest`) ||
        names.some((name) => image.endsWith(`/${name}`) || image.endsWith(`/${name.replace(/:latest$/, "")}`)))
    );
  };
}
