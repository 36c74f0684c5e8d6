import { join } from "node:path";
import { writeLargeFiles } from "../contexts.ts";
import { alternate, type Row, type Workload } from "../workload.ts";

/** A layer of several hundred megabytes, new in each run, into an OCI archive. */
export const layer: Workload = {
  name: "layer",
  async measure({ builders, runs, folder, size, say }) {
    const rows: Row[] = [];
    let seed = process.pid;
    for (const [compression, target] of [
      ["gzip", 0.5],
      ["zstd", 0.15],
    ] as const) {
      const contexts = Array.from({ length: runs(3) }, (_, run) => {
        say(`writing context ${run + 1} of ${size.layerMb} MB`);
        return writeLargeFiles(folder(`layer-${compression}-${run}`), size.layerMb, (seed += 1));
      });
      const times = await alternate(builders, contexts.length, (builder, run) => {
        const dest = join(folder(`layer-archive-${compression}-${run}-${builder.name.replaceAll(" ", "-")}`), "image.tar");
        return builder.build(contexts[run] ?? "", { archive: { dest, compression } });
      });
      rows.push({ what: `a layer of ${size.layerMb} MB into an OCI archive, ${compression}`, target, times });
    }
    return rows;
  },
};
