import { defineCommand } from "../command.ts";

/** Docker's columns are at least so wide, and so far apart. */
const minWidth = 20;
const gap = 3;

export const top = defineCommand({
  usage: "CONTAINER [ps OPTIONS]",
  flags: {},
  args: { min: 1, max: Infinity },
  flagsEndAtArgument: true,
  failureExitCode: 1,
  async run({ args: [name = "", ...psArguments], io, openStore }) {
    const { titles, rows } = await (await openStore()).containers.top(name, psArguments);
    const lines = [titles, ...rows];
    const widths = titles.map((_, at) => Math.max(minWidth, ...lines.map((line) => (line[at] ?? "").length + gap)));
    const print = (line: readonly string[]): string =>
      line.map((cell, at) => (at === line.length - 1 ? cell : cell.padEnd(widths[at] ?? minWidth))).join("");
    io.stdout.print(`${lines.map(print).join("\n")}\n`);
  },
});
