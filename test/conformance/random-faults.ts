import { join } from "node:path";
import { readCases, type Case, type FileSpec } from "./case.ts";
import type { Random } from "./random.ts";

/*
 * The Dockerfiles of the written cases with one or two mistakes: a word, a character or a line taken away, doubled, exchanged or put in.
 * Most are refused: where, and that both do, is what is compared.
 */

const insertions = [
  "$",
  "${",
  "}",
  '"',
  "'",
  "\\",
  "\\\n",
  "#",
  "\n",
  "<<E",
  "[",
  "]",
  ",",
  "=",
  "--",
  "--from=0 ",
  "--mount=type=bind ",
  " ",
  "\t",
  ":",
  "ü",
  "\u0000",
  "AS",
  "ONBUILD ",
  "!",
  "*",
  "`",
  "1",
  "-1",
  "${X:?}",
  "${X/a}",
  "\r",
];
const keywords = [
  "FROM",
  "RUN",
  "COPY",
  "ADD",
  "ENV",
  "ARG",
  "LABEL",
  "CMD",
  "ENTRYPOINT",
  "EXPOSE",
  "VOLUME",
  "USER",
  "WORKDIR",
  "STOPSIGNAL",
  "HEALTHCHECK",
  "SHELL",
  "ONBUILD",
  "MAINTAINER",
];
const skipped = new Set(["remote", "platforms"]);
let written: readonly Case[] | undefined;

/** The files of a written case whose Dockerfile was spoilt. */
export function makeFaults(random: Random): FileSpec[] {
  written ??= readCases(join(import.meta.dirname, "cases")).filter(
    ({ topic, needs, options, files }) =>
      !skipped.has(topic) &&
      needs === undefined &&
      options.more.length === 0 &&
      options.dockerfile === "Dockerfile" &&
      files.every(({ path }) => !path.startsWith("@")) &&
      files.some(({ path }) => path === "Dockerfile"),
  );
  const { files } = random.pick(written);
  return files.map((file) => {
    if (file.path !== "Dockerfile" || !("content" in file)) return file;
    const text = random
      .several(1, 2, () => spoil)
      .reduce((so, change) => change(random, so), Buffer.from(file.content).toString());
    return { ...file, content: Buffer.from(text) };
  });
}

function spoil(random: Random, text: string): string {
  const lines = text.split("\n");
  const at = random.below(lines.length);
  const line = lines[at] ?? "";
  const words = line.split(/(\s+)/);
  const word = random.below(words.length);
  const place = random.below(line.length + 1);
  const changed = random.pick<() => string[]>([
    () => [],
    () => [line, line],
    () => [words.filter((_, index) => index !== word).join("")],
    () => [words.map((one, index) => (index === word ? `${one} ${one}` : one)).join("")],
    () => [line.replace(/\S+/, () => random.pick(keywords))],
    () => [line.slice(0, place) + line.slice(place + 1)],
    () => [line.slice(0, place) + random.pick(insertions) + line.slice(place)],
    () => [line.slice(0, place) + random.pick(insertions) + line.slice(place)],
    () => [line.slice(0, place) + random.pick(insertions) + line.slice(place)],
    () => [line.slice(0, place), line.slice(place)],
    () => [`${line} ${random.pick(words)}`],
    () => [line.slice(0, place)],
    () => [
      line.replace(/--(\w+)/, (flag) =>
        random.pick([
          "--chown",
          "--link",
          "--from",
          "--chmod",
          "--mount",
          "--interval",
          "--checksum",
          `${flag}s`,
          flag.toUpperCase(),
        ]),
      ),
    ],
    () => [line.replace(/\d/g, (digit) => String(Number(digit) + random.pick([-1, 1, 70_000])))],
  ])();
  return [...lines.slice(0, at), ...changed, ...lines.slice(at + 1)].join("\n");
}
