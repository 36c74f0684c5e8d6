import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { writeManyFiles } from "../contexts.ts";
import { alternate, type Workload } from "../workload.ts";

/** A context of very many small files: all new, unchanged, and with one changed. */
export const files: Workload = {
  name: "files",
  async measure({ builders, runs, folder, size, say }) {
    const contexts = Array.from({ length: runs(3) }, (_, run) => {
      say(`writing context ${run + 1} of ${size.files} files`);
      return writeManyFiles(folder(`files-${run}`), size.files, `seed ${run} of ${Date.now()}`);
    });
    const at = (run: number) => contexts[run % contexts.length] ?? "";
    const first = await alternate(builders, contexts.length, (builder, run) => builder.build(at(run)));
    const same = await alternate(builders, contexts.length * 2, (builder, run) => builder.build(at(run)));
    const change = (run: number, mark: string) => appendFileSync(join(at(run), "files/0/file-7.txt"), `${mark}\n`);
    const changed = await alternate(builders, contexts.length, (builder, run) => {
      change(run, builder.name);
      return builder.build(at(run));
    });
    const archive = (run: number, name: string) => ({
      dest: join(folder(`files-archive-${run}-${name.replaceAll(" ", "-")}`), "image.tar"),
      compression: "gzip" as const,
    });
    for (const builder of builders) await builder.build(at(0), { archive: archive(-1, builder.name) });
    const packed = await alternate(builders, contexts.length, (builder, run) => {
      change(0, `${builder.name} ${run}`);
      return builder.build(at(0), { archive: archive(run, builder.name) });
    });
    return [
      { what: `${size.files} small files: first build`, target: 0.4, times: first },
      { what: `${size.files} small files: nothing changed`, target: 0.4, times: same },
      { what: `${size.files} small files: one changed`, target: 0.2, times: changed },
      { what: `${size.files} small files: one changed, gzip OCI archive`, target: 0.3, times: packed },
    ];
  },
};
