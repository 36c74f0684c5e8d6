import { waitForAll } from "../flow/index.ts";
import { VarveError, isVarveError } from "../errors/index.ts";
import { observeProject, ofServices, type ProjectContext } from "./context.ts";
import { converge } from "./converge.ts";
import { buildServices } from "./images.ts";
import { labels } from "./labels.ts";
import { isRunning, type Observed } from "./observed.ts";
import { restartServices } from "./operations.ts";
import { runHook } from "./remove-containers.ts";
import { selectServices } from "./service-order.ts";
import { startServices } from "./start-services.ts";
import { syncFiles } from "./sync-files.ts";
import type { WatchPlan } from "./watch-rules.ts";

/** What `watch` tells of. */
export type WatchEvent =
  /** Changes are looked out for from now on. */
  | { readonly kind: "enabled" }
  /** The changes of a batch are carried out, and have been. */
  | { readonly kind: "begun" | "settled" }
  | { readonly kind: "syncing"; readonly service: string; readonly paths: readonly string[] }
  /** `recreated` and `restarted`: the services' containers run, the first ones new. */
  | { readonly kind: "rebuilding" | "built" | "recreated" | "restarted"; readonly services: readonly string[] }
  /** What a command of `sync+exec` wrote. */
  | { readonly kind: "output"; readonly container: Observed; readonly stream: 1 | 2; readonly chunk: Uint8Array }
  /** A batch failed, wholly or in part; with what, where that has words of its own. */
  | { readonly kind: "failed"; readonly doing?: "build" | "recreate" | "start"; readonly error: unknown };

export interface CarryOutOptions {
  readonly onEvent: (event: WatchEvent) => void;
  readonly prune: boolean;
}

/** Carries out what a batch of changes asks for, in the order of Docker Compose. Fails only when its signal has aborted. */
export async function carryOut(context: ProjectContext, plan: WatchPlan, options: CarryOutOptions): Promise<void> {
  const { onEvent } = options;
  try {
    if (plan.rebuild.length > 0) await rebuild(context, plan.rebuild, options);
    for (const { service, paths } of plan.sync) {
      onEvent({ kind: "syncing", service, paths: paths.map(({ path }) => path) });
      await syncFiles(context, service, paths);
    }
    if (plan.restart.length > 0) {
      await restartServices(context, { services: plan.restart });
      onEvent({ kind: "restarted", services: plan.restart });
    }
    await runHooks(context, plan, options);
  } catch (error) {
    context.signal?.throwIfAborted();
    onEvent({ kind: "failed", error });
  }
}

async function rebuild(context: ProjectContext, names: readonly string[], { onEvent, prune }: CarryOutOptions): Promise<void> {
  const telling = async (doing: "build" | "recreate" | "start", work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      context.signal?.throwIfAborted();
      onEvent({ kind: "failed", doing, error });
      throw error;
    }
  };
  const services = selectServices(context.project.services, names, { alone: true });
  onEvent({ kind: "rebuilding", services: names });
  await telling("build", async () => await buildServices(context, services));
  onEvent({ kind: "built", services: names });
  await telling("recreate", async () => {
    const observed = await observeProject(context);
    // as many as there are now, which the files need not say
    const counts = names.map((name) => [name, ofServices(observed, [name]).length] as const).filter(([, count]) => count > 0);
    await converge(context, {
      services: names,
      alone: true,
      scale: Object.fromEntries(counts),
      build: "never",
      pull: "never",
      recreate: "force",
      ignoreOrphans: true,
    });
  });
  await telling("start", async () => await startServices(context, services, { alone: true }));
  if (prune) await removeNameless(context);
  onEvent({ kind: "recreated", services: names });
}

/** Images of the project that have no name any more. What is in use stays, and is tried again after the next build. */
async function removeNameless({ engine, project }: ProjectContext): Promise<void> {
  const images = (await engine.images.list()).filter(
    ({ names, labels: own }) => names.length === 0 && own[labels.project] === project.name,
  );
  for (const { id } of images) {
    try {
      await engine.images.remove(id);
    } catch (error) {
      if (!isVarveError(error) || (error.code !== "IMAGE_IN_USE" && error.code !== "IMAGE_NOT_FOUND")) throw error;
    }
  }
}

/** The commands of `sync+exec`, in all containers that run. */
async function runHooks(context: ProjectContext, { exec }: WatchPlan, { onEvent }: CarryOutOptions): Promise<void> {
  if (exec.length === 0) return;
  const { containers } = context.engine;
  const running = (await observeProject(context)).filter(isRunning);
  const runs = exec.flatMap(({ service, hook }) =>
    ofServices(running, [service]).map(async (container) => {
      const exitCode = await runHook(containers, container.id, hook, {
        onOutput: ({ stream, chunk }) => onEvent({ kind: "output", container, stream, chunk }),
        ...(context.signal === undefined ? {} : { signal: context.signal }),
      });
      if (exitCode !== 0) throw new VarveError("SERVICE_FAILED", `the command of ${container.name} exited with code ${exitCode}`);
    }),
  );
  await waitForAll(runs);
}
