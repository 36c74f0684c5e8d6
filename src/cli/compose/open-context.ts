import type { Project } from "../../compose-file/index.ts";
import type { ComposeEngine, ProjectContext, Report } from "../../compose/index.ts";
import { VarveError } from "../../errors/index.ts";
import { limiter } from "../../flow/index.ts";
import { buildService } from "./build-service.ts";
import type { ComposeCall } from "./open-project.ts";
import { printWarning } from "./print-warning.ts";
import { stepPrinter } from "./print-steps.ts";

/** Opens the store, and gives the operations of a project what they work with; what they do is printed. */
export async function openContext(
  call: ComposeCall,
  project: Project,
  options: { readonly signal?: AbortSignal; readonly quietBuild?: boolean } = {},
): Promise<ProjectContext> {
  const store = await call.openStore();
  const { io, composeFlags } = call;
  const context: ProjectContext = {
    engine: limited(store, readParallel(call)),
    project,
    report: stepPrinter(call),
    warn: (message) => printWarning(io, { message }),
    build: (build) => buildService(build, call, { project, isQuiet: options.quietBuild === true }),
    separator: composeFlags?.compatibility === true || io.env["COMPOSE_COMPATIBILITY"] === "true" ? "_" : "-",
    signal: options.signal ?? io.signal,
  };
  if (!isDryRun(call)) return context;
  const { dryContext } = await import("../../compose/index.ts");
  const report: Report = (event) => context.report({ ...event, isDryRun: true });
  return dryContext({ ...context, report });
}

/** `--dry-run`: nothing is changed. */
export function isDryRun({ composeFlags }: Pick<ComposeCall, "composeFlags">): boolean {
  return composeFlags?.["dry-run"] === true;
}

/** What only lives at a terminal cannot be told beforehand. Fails with USAGE, in Docker Compose's words. */
export function refuseDryRun(call: Pick<ComposeCall, "composeFlags">, what: "exec" | "run"): void {
  if (isDryRun(call)) throw new VarveError("USAGE", `interactive ${what} is not supported in dry-run mode`);
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
