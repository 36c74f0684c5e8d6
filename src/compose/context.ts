import type { Project, Service } from "../compose-file/index.ts";
import type { ComposeEngine, Report } from "./engine.ts";
import { observe, type Observed } from "./observed.ts";
import type { ServiceBuild } from "./service-build.ts";

/** What every operation on a project works with. */
export interface ProjectContext {
  readonly engine: ComposeEngine;
  readonly project: Project;
  readonly report: Report;
  /** Told what does not stop the work but should be known. */
  readonly warn: (message: string) => void;
  /** Asks the user; nobody to ask is a no. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** Builds an image into the store of the engine. */
  readonly build: (build: ServiceBuild) => Promise<void>;
  /** Between the parts of containers' names: `-`, or `_` as Compose V1 had it. */
  readonly separator?: "-" | "_";
  readonly signal?: AbortSignal;
}

/** The project's containers, as they are now. */
export async function observeProject({
  engine,
  project,
}: Pick<ProjectContext, "engine" | "project">): Promise<readonly Observed[]> {
  return observe(await engine.containers.list(), project.name);
}

/** Its containers of these services (none: of all that the project has); one-off ones only where asked for. */
export function ofServices(
  observed: readonly Observed[],
  services: readonly string[],
  { oneOff = false }: { readonly oneOff?: boolean } = {},
): readonly Observed[] {
  return observed.filter(
    (candidate) => (oneOff || !candidate.isOneOff) && (services.length === 0 || services.includes(candidate.service)),
  );
}

/** Every service of the files, those of profiles that are not active too. */
export function allServices(project: Project): Readonly<Record<string, Service>> {
  return { ...project.disabledServices, ...project.services };
}

/** Does `work`, and says that it is under way and that it is done. */
export async function reported<T>(
  { report }: Pick<ProjectContext, "report">,
  subject: string,
  [doing, done]: readonly [doing: string, done: string],
  work: () => Promise<T>,
): Promise<T> {
  report({ subject, status: doing, isUnderWay: true });
  try {
    const result = await work();
    report({ subject, status: done });
    return result;
  } catch (error) {
    report({ subject, status: "Error", failed: true });
    throw error;
  }
}
