import { PassThrough } from "node:stream";
import type { BuildOptions, Output } from "../../engine/index.ts";
import type { Call } from "../command.ts";

/** A build's options as its builder needs them, and what remains to be done while and after it runs. */
export interface PlacedResults {
  readonly options: BuildOptions;
  /** Said before the build. */
  readonly warning?: string;
  /** Runs the build; what goes into the image store is there when it resolves. */
  around<T>(build: () => Promise<T>): Promise<T>;
}

const noOutput =
  "No output specified with docker-container driver. Build result will only remain in the build cache. " +
  "To push result image into registry use --push or to load image into docker use --load";

/**
 * A builder other than the default one has no image store that anybody sees (W01, W02): without an output its results stay in its
 * cache, unless it was made with `default-load`, and images for the store are sent to that of the default builder.
 */
export async function placeResults(
  options: BuildOptions,
  { openStore, builderName }: Pick<Call, "openStore" | "builderName">,
): Promise<PlacedResults> {
  const asIs = { around: <T>(build: () => Promise<T>) => build() };
  const name = await builderName();
  if (name === "default") return { options, ...asIs };
  const base = await openStore({ builder: "default" });
  const builder = base.builders.get(name);
  const outputs: readonly Output[] = options.outputs ?? (builder.loads ? [{ type: "image" }] : []);
  if (outputs.length === 0) {
    const caching = { ...options, outputs: [{ type: "cacheonly" } as const] };
    return { options: caching, ...asIs, ...((options.cacheTo ?? []).length > 0 ? {} : { warning: noOutput }) };
  }
  const loading = outputs.filter((output) => output.type === "image" && output.push !== true && output.store !== false);
  if (loading.length === 0) return { options: { ...options, outputs }, ...asIs };

  const archive = new PassThrough({ highWaterMark: 1024 * 1024 });
  // the stream of a reader that gave up closes, and says nothing more of what it holds
  const sink = (chunk: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      const giveUp = () => reject(new Error("the image store takes no more of the image"));
      if (archive.destroyed) return giveUp();
      archive.once("close", giveUp);
      archive.write(chunk, (error) => {
        archive.off("close", giveUp);
        if (error) reject(error);
        else resolve();
      });
    });
  const names = loading.flatMap((output) => ("names" in output ? (output.names ?? []) : []));
  const placed: readonly Output[] = [
    ...outputs.filter((output) => !loading.includes(output)),
    { type: "docker", dest: sink, compression: "uncompressed", names },
  ];
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  return {
    options: { ...options, outputs: placed },
    async around(build) {
      const loading = base.images.load(archive, signal).finally(() => archive.destroy());
      const settled = Promise.allSettled([loading]);
      try {
        const result = await build();
        archive.end();
        await loading;
        return result;
      } catch (error) {
        // whoever gave up first has the cause: the archive is whole until the build or the image store does
        if (archive.destroyed) await loading;
        archive.destroy();
        await settled;
        throw error;
      }
    },
  };
}
