import { isVarveError, VarveError } from "../errors/index.ts";
import { joinSignals } from "../flow/index.ts";
import { converge, type ConvergeOptions } from "./converge.ts";
import { observeProject, ofServices, type ProjectContext } from "./context.ts";
import { startServices } from "./start-services.ts";
import { awaitReady } from "./wait-ready.ts";

export interface UpOptions extends ConvergeOptions {
  /** Makes everything, and starts nothing. */
  readonly noStart?: boolean;
  /** Wait until everything runs, and is healthy where it has a check. */
  readonly wait?: { readonly timeoutS?: number };
}

/** `up`: makes what is asked for, and starts it in the order of the dependencies. Returns the names of the services. */
export async function up(context: ProjectContext, options: UpOptions = {}): Promise<readonly string[]> {
  const services = await converge(context, options);
  const names = services.map(({ name }) => name);
  if (options.noStart === true) return names;
  await startServices(context, services);
  if (options.wait !== undefined) await awaitAll(context, names, options.wait);
  return names;
}

async function awaitAll(
  context: ProjectContext,
  names: readonly string[],
  { timeoutS }: { readonly timeoutS?: number },
): Promise<void> {
  const containers = ofServices(await observeProject(context), names);
  if (timeoutS === undefined || timeoutS <= 0) return await awaitReady(context, containers, "running-or-healthy");
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    deadline.abort(new VarveError("SERVICE_FAILED", `application not healthy after ${timeoutS}s`));
  }, timeoutS * 1000);
  try {
    await awaitReady(context, containers, "running-or-healthy", { signal: joinSignals(deadline.signal, context.signal) });
  } catch (error) {
    if (deadline.signal.aborted && !(isVarveError(error) && error.code === "SERVICE_FAILED")) throw deadline.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
