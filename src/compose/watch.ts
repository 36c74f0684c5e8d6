import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { Service } from "../compose-file/index.ts";
import { readIgnorePatterns } from "../engine/index.ts";
import { VarveError } from "../errors/index.ts";
import { listFiles, watchFiles } from "../file-watch/index.ts";
import type { ProjectContext } from "./context.ts";
import { carryOut, type WatchEvent } from "./carry-out-changes.ts";
import { selectServices } from "./service-order.ts";
import { syncFiles } from "./sync-files.ts";
import { isSync, isWithin, makeWatchRule, planChanges, type IgnoredFiles, type WatchRule } from "./watch-rules.ts";

export interface WatchOptions {
  /** Names of services, which are watched with all that they depend on; none: all. */
  readonly services?: readonly string[];
  /** Its end is the end of watching, and no failure; what is being carried out ends with it. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: WatchEvent) => void;
  /** What has to be done before changes can be carried out: building and starting. Changes meanwhile are not missed. */
  readonly prepare?: () => Promise<void>;
  /** Remove the project's images that lost their name to a new one. Default true. */
  readonly prune?: boolean;
  /** So long nothing must change until changes are carried out. Default: half a second. */
  readonly quietMs?: number;
}

/**
 * `watch`: follows the files that services name in `develop.watch`, and carries out what they ask for when those change, batch by batch,
 * until the signal ends it. What goes wrong with a batch is an event. Fails with SERVICE_NOT_WATCHED, SERVICE_INVALID and WATCH_LIMIT
 * before anything is done, and with what `prepare` and the first synchronization fail with.
 */
export async function watchProject(context: ProjectContext, options: WatchOptions): Promise<void> {
  const { services = [], signal, onEvent, quietMs } = options;
  const rules = watchRules(context, selectServices(context.project.services, services));
  // nobody sits there to be asked, and steps are told as events
  const own: ProjectContext = { ...context, signal, report: () => undefined, confirm: () => Promise.resolve(false) };
  const files = watchFiles(
    rules.map(({ path }) => path),
    {
      keep: (path) => rules.some((rule) => rule.matches(path)),
      mayEnter: (folder) => rules.some((rule) => rule.mayMatchBelow(folder)),
      ...(quietMs === undefined ? {} : { quietMs }),
    },
  );
  try {
    await options.prepare?.();
    await syncFirst(own, rules);
    onEvent({ kind: "enabled" });
    for (;;) {
      const plan = planChanges(rules, await files.next({ signal }));
      onEvent({ kind: "begun" });
      await carryOut(own, plan, { onEvent, prune: options.prune !== false });
      onEvent({ kind: "settled" });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    files.close();
  }
}

/** `initial_sync`: what changed while nobody watched. */
async function syncFirst(context: ProjectContext, rules: readonly WatchRule[]): Promise<void> {
  for (const rule of rules) {
    if (rule.trigger.initial_sync !== true || !isSync(rule.trigger)) continue;
    const paths = [...listFiles(rule.path, (folder) => rule.mayMatchBelow(folder))];
    for (const { service, paths: own } of planChanges([rule], paths).sync) await syncFiles(context, service, own);
  }
}

/** Fails with SERVICE_INVALID for a trigger that cannot be carried out, and SERVICE_NOT_WATCHED where there is none. */
function watchRules(context: ProjectContext, services: readonly Service[]): readonly WatchRule[] {
  const rules = services.flatMap((service) => rulesOf(context, service));
  if (rules.length > 0) return rules;
  throw new VarveError(
    "SERVICE_NOT_WATCHED",
    "none of the selected services is configured for watch, consider setting a 'develop' section",
  );
}

function rulesOf(context: ProjectContext, service: Service): readonly WatchRule[] {
  const triggers = service.develop?.watch ?? [];
  if (triggers.length === 0) return [];
  const ignoreFile = readIgnoreFile(service);
  return triggers.flatMap((trigger) => {
    if (trigger.action === "rebuild" && service.build === undefined)
      throw new VarveError(
        "SERVICE_INVALID",
        `can't watch service "${service.name}" with action ${trigger.action} without a build context`,
      );
    if (trigger.action === "sync+exec" && (trigger.exec?.command ?? []).length === 0)
      throw new VarveError(
        "SERVICE_INVALID",
        `can't watch with action "${trigger.action}" on service ${service.name} without a command`,
      );
    const path = withoutLinks(trigger.path);
    if (isSync(trigger) && isBound(service, path)) {
      context.warn(`path '${trigger.path}' also declared by a bind mount volume, this path won't be monitored!`);
      return [];
    }
    return [makeWatchRule(service.name, trigger, { path, ignoreFile })];
  });
}

/** What is bound into the containers is there already. */
function isBound({ volumes = [] }: Service, path: string): boolean {
  return volumes.some(({ type, source }) => type === "bind" && source !== undefined && isWithin(path, withoutLinks(source)));
}

/** The ignore file of the service's build, where its context is a folder. */
function readIgnoreFile({ build }: Service): IgnoredFiles | undefined {
  if (build === undefined || !build.context.startsWith("/")) return undefined;
  const folder = withoutLinks(build.context);
  const dockerfile = build.dockerfile ?? "Dockerfile";
  const path = dockerfile.startsWith("/") ? dockerfile : join(folder, dockerfile);
  return { folder, patterns: readIgnorePatterns(path, folder) };
}

/** What is not there has no links. */
function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return path;
    throw error;
  }
}
