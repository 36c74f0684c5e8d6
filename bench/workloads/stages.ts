import { writeContext } from "../contexts.ts";
import { alternate, type Workload } from "../workload.ts";

const slowestS = 2;

/** Eight stages that wait for nothing of each other, of 0.25 to 2 seconds; and the slowest of them alone. */
export const stages: Workload = {
  name: "stages",
  async measure({ builders, runs, folder }) {
    const numbers = Array.from({ length: 8 }, (_, index) => index + 1);
    const stage = (number: number) =>
      `FROM busybox AS s${number}\nRUN sleep ${(number * slowestS) / 8} && echo ${number} >/out\n`;
    const copies = (of: readonly number[]) => of.map((number) => `COPY --from=s${number} /out /out${number}\n`).join("");
    const eight = writeContext(folder("stages"), {
      Dockerfile: `${numbers.map(stage).join("")}FROM busybox\n${copies(numbers)}`,
    });
    const one = writeContext(folder("stage"), { Dockerfile: `${stage(8)}FROM busybox\n${copies([8])}` });
    for (const builder of builders) await builder.build(one);
    const count = runs(3);
    const times = await alternate(builders, count, (builder) => builder.build(eight, { noCache: true }));
    const alone = await alternate(builders.slice(0, 1), count, (builder) => builder.build(one, { noCache: true }));
    return [
      { what: "eight independent stages", times },
      {
        what: "eight independent stages: Varve's time over that of the slowest stage alone",
        target: 1.1,
        times: new Map([
          ["Varve", times.get("Varve") ?? []],
          ["the slowest alone", alone.get("Varve") ?? []],
        ]),
      },
    ];
  },
};
