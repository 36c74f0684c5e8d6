import type { ProjectContext, WatchEvent } from "../../compose/index.ts";
import { unlessAborted } from "../../flow/index.ts";
import type { ComposeCall } from "./open-project.ts";
import { createWatchPrinter, watchContext, type WatchPrinterOptions } from "./print-watch.ts";

export interface AttachedWatchOptions extends Pick<WatchPrinterOptions, "print"> {
  readonly call: ComposeCall;
  readonly context: ProjectContext;
  readonly services: readonly string[];
  readonly isQuiet: boolean;
  /** Names that stand before the logs of containers: those of the watch stand below their end. */
  readonly names: () => readonly string[];
  readonly colors: boolean;
  /** The containers of these services run again, or are new. */
  readonly onContainers: (services: readonly string[]) => Promise<void>;
  /** Watching came to an end by itself. */
  readonly onFailure: (error: unknown) => void;
}

/** The watch of an attached `up`, which can be switched on and off; at the end of its block it is off. */
export interface AttachedWatch extends AsyncDisposable {
  isOn(): boolean;
  /**
   * Resolves as soon as files are followed; changes are carried out once `ready` resolves (default: at once). Does nothing while it is
   * on. Fails as `watchProject` does before it begins.
   */
  start(options?: { readonly ready?: Promise<unknown> }): Promise<void>;
  /** Resolves when nothing is followed or carried out any more. */
  stop(): Promise<void>;
  /** The one or the other, by somebody's key: what comes of it is printed. */
  toggle(): Promise<void>;
  /** Whether changes are being carried out: a container that ends meanwhile will be there again. */
  isBusy(): boolean;
  /** Waits while changes are carried out. True when some were since the last question: there may be containers to follow. */
  settle(): Promise<boolean>;
}

export function createAttachedWatch(options: AttachedWatchOptions): AttachedWatch {
  const { context, services, onContainers, onFailure } = options;
  const prefix = (): string => watchPrefix(options);
  const show = createWatchPrinter({ print: options.print, prefix, warn: context.warn });
  let current: { readonly controller: AbortController; readonly run: Promise<void> } | undefined;
  let batch: PromiseWithResolvers<undefined> | undefined;
  let isChanged = false;
  let followed = Promise.resolve();
  const endBatch = (): void => {
    batch?.resolve(undefined);
    batch = undefined;
  };
  const onEvent = (event: WatchEvent): void => {
    show(event);
    if (event.kind === "begun") batch ??= Promise.withResolvers();
    if (event.kind === "recreated" || event.kind === "restarted") {
      isChanged = true;
      followed = followed.then(async () => await onContainers(event.services)).catch(onFailure);
    }
    if (event.kind === "settled") endBatch();
  };
  const start: AttachedWatch["start"] = async ({ ready } = {}) => {
    if (current !== undefined) return;
    const { watchProject } = await import("../../compose/index.ts");
    const controller = new AbortController();
    const { signal } = controller;
    const following = Promise.withResolvers<undefined>();
    let isFollowing = false;
    const run = watchProject(watchContext(context, options.call, { ...options, prefix, signal }), {
      services,
      signal,
      onEvent,
      async prepare() {
        isFollowing = true;
        following.resolve(undefined);
        await unlessAborted(Promise.resolve(ready), { signal });
      },
    });
    const own = { controller, run };
    current = own;
    const end = (): void => {
      endBatch();
      if (current === own) current = undefined;
    };
    run.then(end, (error: unknown) => {
      end();
      if (isFollowing) onFailure(error);
      else following.reject(error as Error);
    });
    await following.promise;
  };
  const stop = async (): Promise<void> => {
    const own = current;
    if (own === undefined) return;
    own.controller.abort();
    await own.run.catch(() => undefined); // told when it happened
  };
  return {
    isOn: () => current !== undefined,
    isBusy: () => batch !== undefined,
    start,
    stop,
    async toggle() {
      const isOn = current !== undefined;
      try {
        await (isOn ? stop() : start());
        if (isOn) options.print(1, `${prefix()}Watch disabled\n`);
      } catch (error) {
        options.print(1, `${prefix()}${error instanceof Error ? error.message : String(error)}\n`);
      }
    },
    async settle() {
      await batch?.promise;
      await followed;
      const was = isChanged;
      isChanged = false;
      return was;
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** As Docker Compose has it: below the bar after the names of containers, of which its own is one. */
function watchPrefix({ names, colors }: Pick<AttachedWatchOptions, "names" | "colors">): string {
  const width = Math.max(...["#watch", ...names()].map(({ length }) => length));
  const text = `${" ".repeat(width + 1)} ⦿ `;
  return colors ? `\u001B[92m${text}\u001B[0m` : text;
}
