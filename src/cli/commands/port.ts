import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { hostText } from "../containers/ports-text.ts";

export const port = defineCommand({
  usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  flags: {},
  args: { min: 1, max: 2 },
  failureExitCode: 1,
  async run({ args: [name = "", wanted], io, openStore }) {
    const { ports } = await (await openStore()).containers.get(name);
    const published = ports
      .map((each) => ({ inside: `${each.containerPort}/${each.protocol}`, outside: address(each), number: each.containerPort }))
      .toSorted((left, right) => left.number - right.number || (left.inside < right.inside ? -1 : 1));
    if (wanted === undefined) {
      for (const { inside, outside } of published) io.stdout.print(`${inside} -> ${outside}\n`);
      return;
    }
    const [number = "", protocol = "tcp"] = wanted.split("/");
    if (!/^\d+$/.test(number) || Number(number) > 65_535) throw new VarveError("USAGE", `invalid port '${wanted}'`);
    const inside = `${number}/${protocol}`;
    const found = published.filter((each) => each.inside === inside);
    if (found.length === 0) throw new VarveError("CONTAINER_NO_PORT", `No public port '${wanted}' published for ${name}`);
    for (const { outside } of found) io.stdout.print(`${outside}\n`);
  },
});

function address({ hostIp, hostPort }: { readonly hostIp: string; readonly hostPort: number }): string {
  return `${hostText(hostIp)}:${hostPort}`;
}
