import { defineCommand } from "../command.ts";

export const tag = defineCommand({
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  flags: {},
  args: { min: 2, max: 2 },
  async run({ args: [source = "", target = ""], openStore }) {
    await (await openStore()).images.tag(source, target);
  },
});
