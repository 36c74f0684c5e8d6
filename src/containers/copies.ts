import type { Containers } from "./types.ts";
import type { CopyRequest, CopyRoot } from "./copy-types.ts";
import { askCopy, readFromCopy, writeToCopy, type CopyProcessOptions } from "./copy-process.ts";

/** How the files of a container are reached at the moment. */
export interface CopyPlace {
  readonly root: CopyRoot;
  /**
   * Words before a command. Of a container with processes: those of its handle. Else ones that lead into a new mount namespace, private
   * in all its mounts, as root of the machine or of the user namespace whose ids the container's files have.
   */
  readonly enter: readonly string[];
  readonly userNamespace: boolean;
  readonly name: string;
  /** The USER of the container, "" for root. */
  readonly user: string;
  /** Targets of its volumes and binds. */
  readonly mountTargets: readonly string[];
  /** Told of the process that does it, where that may be ended. */
  readonly onProcess?: (pid: number) => void;
}

/** `bare`: without the container's mounts. */
type WithPlace = <T>(
  name: string,
  work: (place: CopyPlace) => Promise<T>,
  options?: { readonly bare?: boolean; readonly signal?: AbortSignal | undefined },
) => Promise<T>;

export interface CopiesOptions {
  /** Runs work while the place stays as it is: nobody starts the container meanwhile where its root is a stack. */
  readonly withPlace: WithPlace;
  /** The PATH. */
  readonly path: string;
}

type Copies = Pick<Containers, "copyOut" | "copyIn" | "removePaths" | "statPath"> & {
  readonly exportFiles: Containers["export"];
};

/** `copyOut`, `copyIn`, `removePaths` and `statPath` of {@link Containers}, and its `export`. */
export function createCopies({ withPlace, path: PATH }: CopiesOptions): Copies {
  const describe = (place: CopyPlace, path: string, task: CopyRequest["task"], signal?: AbortSignal): CopyProcessOptions => ({
    enter: place.enter,
    request: {
      root: place.root,
      userNamespace: place.userNamespace,
      path: path.startsWith("/") ? path : `/${path}`,
      name: place.name,
      mountTargets: place.mountTargets,
      task,
    },
    path: PATH,
    signal,
    onProcess: place.onProcess,
  });
  /** The place is held for as long as somebody reads. */
  async function* readHeld(
    name: string,
    read: (place: CopyPlace) => AsyncGenerator<Uint8Array, void, undefined>,
    options: { readonly bare?: boolean; readonly signal?: AbortSignal | undefined },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { promise: over, resolve: end } = Promise.withResolvers<undefined>();
    const ready = Promise.withResolvers<CopyPlace>();
    const hold = async (place: CopyPlace): Promise<void> => {
      ready.resolve(place);
      await over;
    };
    const held = withPlace(name, hold, options);
    held.catch(ready.reject);
    try {
      yield* read(await ready.promise);
    } finally {
      end(undefined);
      await held;
    }
  }

  return {
    async *copyOut(name, path, { followLink = false, as, signal } = {}) {
      const task = { kind: "out", followLink, ...(as === undefined ? {} : { as }) } as const;
      yield* readHeld(name, (place) => readFromCopy(describe(place, path, task, signal)), { signal });
    },
    async *exportFiles(name, { signal } = {}) {
      yield* readHeld(name, (place) => readFromCopy(describe(place, "/", { kind: "export" }, signal)), { bare: true, signal });
    },
    async copyIn(name, path, archive, { keepOwners = false, signal } = {}) {
      await withPlace(
        name,
        async (place) => {
          const task = { kind: "in", ...(keepOwners && place.user !== "" ? { owner: place.user } : {}) } as const;
          await writeToCopy(describe(place, path, task, signal), archive);
        },
        { signal },
      );
    },
    async removePaths(name, paths, { signal } = {}) {
      await withPlace(name, async (place) => void (await askCopy(describe(place, "/", { kind: "remove", paths }, signal))), {
        signal,
      });
    },
    async statPath(name, path, { followLink = false, signal } = {}) {
      return await withPlace(name, async (place) => await askCopy(describe(place, path, { kind: "stat", followLink }, signal)), {
        signal,
      });
    },
  };
}
