import { writeContext } from "../contexts.ts";
import { alternate, type Workload } from "../workload.ts";

const dockerfile = `FROM busybox AS make
ENV MODE=bench
WORKDIR /app
COPY package.json .
RUN echo installed >installed
COPY src src
RUN cat src/*.txt >built
FROM busybox
WORKDIR /srv
COPY --from=make /app/built .
RUN wc -l built >count
EXPOSE 80
CMD ["cat", "count"]
`;

/** A build in which nothing is to be done, from the start of the process to its exit. */
export const cached: Workload = {
  name: "cached",
  async measure({ builders, runs, folder }) {
    const sources = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`src/file-${index}.txt`, `line ${index}\n`]));
    const context = writeContext(folder("cached"), { Dockerfile: dockerfile, "package.json": "{}\n", ...sources });
    for (const builder of builders) for (let run = 0; run < 3; run += 1) await builder.build(context);
    const times = await alternate(builders, runs(20), (builder) => builder.build(context));
    return [{ what: "all cached, two stages, twelve instructions", target: 0.6, times }];
  },
};
