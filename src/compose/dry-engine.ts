import type { Attached, Container, Containers } from "../containers/index.ts";
import type { Project } from "../compose-file/index.ts";
import type { ImageDetails } from "../engine/index.ts";
import { isVarveError } from "../errors/index.ts";
import { digestHex, mediaTypes, sha256 } from "../oci/index.ts";
import type { VolumeRecord } from "../volumes/index.ts";
import { allServices, type ProjectContext } from "./context.ts";
import type { ComposeEngine } from "./engine.ts";
import { imagineContainer } from "./imagined-container.ts";
import { labels } from "./labels.ts";

/**
 * `--dry-run`: the same operations on an engine that changes nothing. It answers as if what was asked of it had been done: what would
 * be made is listed, what would be removed is not, and everything that is waited for has come about.
 */
export function dryContext(context: ProjectContext): ProjectContext {
  const imaginedImages = new Map<string, ImageDetails>();
  const { report } = context;
  return {
    ...context,
    engine: {
      ...context.engine,
      images: dryImages(context.engine, imaginedImages),
      networks: dryNetworks(context.engine.networks),
      volumes: dryVolumes(context.engine.volumes),
      containers: dryContainers(context.engine, { project: context.project, imaginedImages }),
    },
    build({ service, image }) {
      const made = imagineImage(image);
      imaginedImages.set(image, made);
      report({ subject: service, text: `==> ==> writing image dryRun-${digestHex(made.id).slice(0, 40)}`, status: "" });
      report({ subject: service, text: `==> ==> naming to ${image}`, status: "" });
      return Promise.resolve();
    },
  };
}

function dryImages({ images, remoteImages }: ComposeEngine, imagined: Map<string, ImageDetails>): ComposeEngine["images"] {
  return {
    list: () => images.list(),
    inspect: async (name) => imagined.get(name) ?? (await images.inspect(name)),
    // whether there is such an image is asked; what the registry has is the image, as far as is known
    async pull(name, options = {}) {
      const { descriptor } = await remoteImages.inspect(name, options.signal === undefined ? {} : { signal: options.signal });
      const id = (await findImage(images, name))?.id ?? descriptor.digest;
      if ((await findImage(images, name)) === undefined) imagined.set(name, { ...imagineImage(name), id });
      return { name, digest: descriptor.digest, changed: false };
    },
    push: (name) =>
      Promise.resolve({ descriptor: { mediaType: mediaTypes.ociManifest, digest: imagineImage(name).id, size: 0 } }),
    remove: () => Promise.resolve([]),
  };
}

async function findImage(images: ComposeEngine["images"], name: string): Promise<ImageDetails | undefined> {
  try {
    return await images.inspect(name);
  } catch (error) {
    if (isVarveError(error) && error.code === "IMAGE_NOT_FOUND") return undefined;
    throw error;
  }
}

function imagineImage(name: string): ImageDetails {
  const id = sha256(`dry run ${name}`);
  const platform = { os: "linux", architecture: "unknown" };
  return {
    id,
    names: [name],
    digests: [],
    createdMs: Date.now(),
    sizeBytes: 0,
    labels: {},
    config: { ...platform, rootfs: { type: "layers", diff_ids: [] } },
    platform,
    history: [],
  };
}

function dryNetworks(networks: ComposeEngine["networks"]): ComposeEngine["networks"] {
  type Known = ReturnType<typeof networks.list>[number];
  const made: Known[] = [];
  const removed = new Set<string>();
  const list = (): readonly Known[] => [...networks.list(), ...made].filter(({ id }) => !removed.has(id));
  return {
    list,
    create({ name, labels: own = {} }) {
      made.push({ id: `dry run ${name} ${made.length}`, name, labels: own });
      return Promise.resolve();
    },
    remove(name) {
      for (const { id, ...network } of list()) if (id === name || network.name === name) removed.add(id);
      return Promise.resolve();
    },
  };
}

function dryVolumes(volumes: ComposeEngine["volumes"]): ComposeEngine["volumes"] {
  const made = new Map<string, VolumeRecord>();
  const removed = new Set<string>();
  return {
    list: () => [...volumes.list().filter(({ name }) => !removed.has(name)), ...made.values()],
    create(request = {}) {
      const record: VolumeRecord = {
        name: request.name ?? "",
        driver: "local",
        createdMs: Date.now(),
        labels: request.labels ?? {},
        options: request.options ?? {},
        anonymous: false,
        mountpoint: "",
      };
      made.set(record.name, record);
      return Promise.resolve(record);
    },
    remove(name) {
      if (!made.delete(name)) removed.add(name);
      return Promise.resolve();
    },
  };
}

function dryContainers(
  { containers, images }: ComposeEngine,
  { project, imaginedImages }: { readonly project: Project; readonly imaginedImages: ReadonlyMap<string, ImageDetails> },
): Containers {
  /** What is otherwise than in the store: null is removed. */
  const changed = new Map<string, Container | null>();
  const finishing = finishingServices(project);
  const list = async (): Promise<readonly Container[]> => {
    const real = (await containers.list()).map((container) =>
      changed.has(container.id) ? changed.get(container.id) : container,
    );
    const ids = new Set(real.map((container) => container?.id));
    return [...real, ...[...changed.values()].filter((container) => !ids.has(container?.id))].flatMap((found) => found ?? []);
  };
  const find = async (name: string): Promise<Container> =>
    (await list()).find((container) => container.id === name || container.name === name) ?? (await containers.get(name));
  const change = async (name: string, state: Partial<Container["state"]>): Promise<void> => {
    const found = await find(name);
    changed.set(found.id, { ...found, state: { ...found.state, ...state } });
  };
  const run = (name: string): Promise<void> => change(name, { status: "running", startedMs: Date.now() });
  const end = (name: string): Promise<void> => change(name, { status: "exited", finishedMs: Date.now() });
  return {
    ...containers,
    list,
    async get(name) {
      const found = await find(name);
      if (found.state.status !== "running") return found;
      // what is waited for has come
      if (finishing.has(found.config.labels[labels.service] ?? ""))
        return { ...found, state: { ...found.state, status: "exited", exitCode: 0 } };
      return { ...found, state: { ...found.state, health: { status: "healthy", failingStreak: 0, log: [] } } };
    },
    async create(request) {
      const image = imaginedImages.get(request.image) ?? (await images.inspect(request.image));
      const container = imagineContainer(request, { imageId: image.id, platform: image.platform });
      changed.set(container.id, container);
      return { id: container.id, name: container.name, warnings: [] };
    },
    async start(name) {
      await run(name);
      return undefined;
    },
    restart: run,
    unpause: run,
    stop: end,
    kill: end,
    pause: (name) => change(name, { status: "paused" }),
    async remove(name) {
      changed.set((await find(name)).id, null);
    },
    async rename(name, newName) {
      const found = await find(name);
      changed.set(found.id, { ...found, name: newName });
    },
    wait: () => Promise.resolve(0),
    attach: () => Promise.resolve(nothingAttached()),
    exec: () => Promise.resolve(nothingAttached()),
    copyIn: () => Promise.resolve(),
    prune: () => Promise.resolve({ removed: [], freedBytes: 0 }),
  };
}

/** Services of which others wait for the end. */
function finishingServices(project: Project): ReadonlySet<string> {
  return new Set(
    Object.values(allServices(project)).flatMap(({ depends_on: needs = {} }) =>
      Object.entries(needs).flatMap(([name, { condition }]) => (condition === "service_completed_successfully" ? [name] : [])),
    ),
  );
}

function nothingAttached(): Attached {
  return {
    output: (async function* () {})(),
    resize: () => Promise.resolve(),
    detach: () => undefined,
    exitCode: Promise.resolve(0),
  };
}
