import { writeContext } from "../contexts.ts";
import { alternate, type Workload } from "../workload.ts";

/** Thirty small RUN steps, one after the other, without cache. */
export const steps: Workload = {
  name: "steps",
  async measure({ builders, runs, folder }) {
    const lines = Array.from({ length: 30 }, (_, index) => `RUN echo step ${index} >>/log`);
    const context = writeContext(folder("steps"), { Dockerfile: `FROM busybox\n${lines.join("\n")}\n` });
    for (const builder of builders) await builder.build(context);
    const times = await alternate(builders, runs(5), (builder) => builder.build(context, { noCache: true }));
    return [{ what: "thirty small RUN steps without cache", target: 0.2, times }];
  },
};
