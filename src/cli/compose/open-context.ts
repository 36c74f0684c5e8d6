import type { Project } from "../../compose-file/index.ts";
import type { ComposeEngine, ProjectContext, Report } from "../../compose/index.ts";
import { VarveError } from "../../errors/index.ts";
import { limiter } from "../../flow/index.ts";
import { buildService } from "./build-service.ts";
import type { ComposeCall } from "./open-project.ts";
import { warningText } from "./print-warning.ts";
import { createStepDisplay, type StepDisplay } from "./step-display.ts";

/** What the operations of a project work with, and what shows them. */
export interface ShownContext extends ProjectContext {
  readonly display: StepDisplay;
}

export interface ContextOptions {
  /** What the command does, on a terminal: `Stopping`. Default: `Running`. */
  readonly title?: string;
  readonly signal?: AbortSignal;
  readonly quietBuild?: boolean;
  /** Nothing is said of the layers of images. */
  readonly quietPull?: boolean;
}

/** Opens the store, and gives the operations of a project what they work with; what they do is shown until the command ends. */
export async function openContext(call: ComposeCall, project: Project, options: ContextOptions = {}): Promise<ShownContext> {
  const store = await call.openStore();
  const { io, composeFlags } = call;
  const display = createStepDisplay(call, options.title ?? "Running");
  call.atEnd(() => display.end());
  const context: ProjectContext = {
    engine: limited(store, readParallel(call)),
    project,
    report: (event) => (event.layer !== undefined && options.quietPull === true ? undefined : display.report(event)),
    warn: (message) => display.print(warningText(call, message)),
    async build(build) {
      display.leave();
      await buildService(build, call, { project, isQuiet: options.quietBuild === true });
    },
    async confirm(question) {
      display.leave();
      const { confirm } = await import("../confirm.ts");
      return await confirm(question, io);
    },
    separator: composeFlags?.compatibility === true || io.env["COMPOSE_COMPATIBILITY"] === "true" ? "_" : "-",
    signal: options.signal ?? io.signal,
  };
  if (!isDryRun(call)) return { ...context, display };
  const { dryContext } = await import("../../compose/index.ts");
  const report: Report = (event) => context.report({ ...event, isDryRun: true });
  return { ...dryContext({ ...context, report }), display };
}

/** `--dry-run`: nothing is changed. */
export function isDryRun({ composeFlags }: Pick<ComposeCall, "composeFlags">): boolean {
  return composeFlags?.["dry-run"] === true;
}

/** What only lives at a terminal cannot be told beforehand. Fails with NOT_SUPPORTED_YET, in Docker Compose's words. */
export function refuseDryRun(call: Pick<ComposeCall, "composeFlags">, what: "exec" | "run"): void {
  if (isDryRun(call)) throw new VarveError("NOT_SUPPORTED_YET", `interactive ${what} is not supported in dry-run mode`);
}

/** `--parallel` or COMPOSE_PARALLEL_LIMIT; undefined: no limit. */
function readParallel({ composeFlags, io }: ComposeCall): number | undefined {
  const text = composeFlags?.parallel ?? (io.env["COMPOSE_PARALLEL_LIMIT"] || "-1");
  if (!/^-?\d+$/.test(text)) throw new VarveError("USAGE", `invalid limit of parallel work: ${text}`);
  return Number(text) > 0 ? Number(text) : undefined;
}

function limited(engine: ComposeEngine, count: number | undefined): ComposeEngine {
  if (count === undefined) return engine;
  const { containers } = engine;
  const lanes = limiter(count);
  return {
    images: engine.images,
    remoteImages: engine.remoteImages,
    networks: engine.networks,
    volumes: engine.volumes,
    containers: {
      ...containers,
      create: (...args) => lanes.run(() => containers.create(...args)),
      start: (...args) => lanes.run(() => containers.start(...args)),
      stop: (...args) => lanes.run(() => containers.stop(...args)),
      restart: (...args) => lanes.run(() => containers.restart(...args)),
      remove: (...args) => lanes.run(() => containers.remove(...args)),
    },
  };
}
