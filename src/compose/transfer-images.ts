import type { Service } from "../compose-file/index.ts";
import { VarveError } from "../errors/index.ts";
import type { ProjectContext } from "./context.ts";
import { findImage, pullImage, transferred } from "./images.ts";
import { selectServices } from "./service-order.ts";

export interface TransferOptions {
  readonly services?: readonly string[];
  /** Without the services that they depend on. */
  readonly alone?: boolean;
  /** What fails is a warning. */
  readonly ignoreFailures?: boolean;
}

/** `pull`: the images of services, each once. Those that can only be built are left out. */
export async function pullServices(
  context: ProjectContext,
  options: TransferOptions & { readonly ignoreBuildable?: boolean; readonly onlyMissing?: boolean },
): Promise<void> {
  const wanted: Service[] = [];
  for (const service of chosen(context, options)) {
    const skips =
      service.image === undefined
        ? "Skipped - No image to be pulled"
        : options.ignoreBuildable === true && service.build !== undefined
          ? "Skipped - Image can be built"
          : options.onlyMissing === true && (await findImage(context, service)) !== undefined
            ? "Skipped - Image is already present locally"
            : undefined;
    if (skips !== undefined) context.report({ subject: service.name, text: skips, status: "" });
    else {
      const same = wanted.find(({ image }) => image === service.image);
      if (same === undefined) wanted.push(service);
      else context.report({ subject: service.name, text: `Skipped - Image is already being pulled by ${same.name}`, status: "" });
    }
  }
  await each(context, wanted, options, (service) => pullImage(context, service));
}

/** `push`: the images of services that are built, under the name of the image and the tags of the build. */
export async function pushServices(context: ProjectContext, options: TransferOptions): Promise<void> {
  const names = chosen(context, options).flatMap(({ name, build, image }) => {
    if (build !== undefined && image !== undefined) return [image, ...(build.tags ?? [])];
    context.report({ subject: name, text: "Skipped", status: "" });
    return [];
  });
  const signal = context.signal === undefined ? {} : { signal: context.signal };
  await each(context, [...new Set(names)], options, async (name) => {
    await transferred(context, name, ["Pushing", "Pushed"], (onLayer) =>
      context.engine.images.push(name, { onLayer, ...signal }),
    );
  });
}

function chosen({ project }: ProjectContext, { services = [], alone = true }: TransferOptions): readonly Service[] {
  return selectServices(project.services, services, { alone });
}

async function each<T>(
  context: ProjectContext,
  items: readonly T[],
  { ignoreFailures = false }: TransferOptions,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  for (const result of await Promise.allSettled(items.map(work))) {
    if (result.status === "fulfilled") continue;
    if (!ignoreFailures || context.signal?.aborted === true) throw result.reason;
    context.warn(result.reason instanceof VarveError ? result.reason.message : String(result.reason));
  }
}
