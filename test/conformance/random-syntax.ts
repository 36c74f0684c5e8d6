import type { FileSpec } from "./case.ts";
import type { Random } from "./random.ts";

/*
 * Dockerfiles whose difficulty is in how they are written: quotes and escapes in every word, expansions in each other, the escape
 * character, line ends, comments and empty lines between continued lines, here-documents of each form. Nearly all of it is only config,
 * so that one build shows many of them.
 */

const names = ["A", "B", "C", "LONG_NAME", "x1", "UNSET", "EMPTY", "P"];
const literals = [
  "a",
  "bc",
  "1.2",
  "/usr/lib/x.so",
  "ü",
  "☃",
  "-",
  "x=y",
  "a,b",
  "*",
  "?",
  "[a]",
  "#",
  "~",
  "%s",
  "e.e",
  "@",
  "+",
];
const patterns = ["a", "*a", "a*", "?", "*", "/", "*/", "/*", "[a-c]", ".", "\\*", "u*b", "", "b?", "**", "é", "l", "s*"];

/** What makes up a Dockerfile of its own kind: the escape character, and the line's end. */
interface Style {
  readonly escape: "\\" | "`";
  readonly end: "\n" | "\r\n";
}

/** The files of a build whose Dockerfile is written oddly. */
export function makeOddSyntax(random: Random): FileSpec[] {
  const style: Style = { escape: random.chance(0.15) ? "`" : "\\", end: random.chance(0.12) ? "\r\n" : "\n" };
  const head = [
    ...(style.escape === "`" ? ["# escape=`"] : random.chance(0.1) ? ["#escape = \\"] : []),
    ...(random.chance(0.2) ? ["# a comment", ""] : []),
    ...(random.chance(0.3) ? [`ARG P=${random.pick(["/usr/lib/a.b", "abc", '"q r"', "a-b-a"])}`] : []),
  ];
  const stages = 1 + random.below(2);
  const lines = [...head];
  for (let stage = 0; stage < stages; stage += 1) {
    lines.push(
      `${random.pick(["FROM", "from", "From"])} ${stage === 0 || random.chance(0.3) ? "varve-base" : "s0"} ${random.pick(["AS", "as"])} s${stage}`,
    );
    if (random.chance(0.6)) lines.push("ARG P", "ARG EMPTY=");
    for (let left = 4 + random.below(9); left > 0; left -= 1) {
      lines.push(makeInstruction(random, style));
      if (random.chance(0.12)) lines.push(random.pick(["", "# comment", "  # indented", "\t", "#"]));
    }
  }
  lines.push('RUN env | sort > /env; echo "$A|$B|$P" >> /env');
  const text = (random.chance(0.08) ? "\ufeff" : "") + lines.join("\n") + (random.chance(0.9) ? "\n" : "");
  const file = (path: string, content: string): FileSpec => ({ path, kind: "file", content: Buffer.from(content) });
  return [
    file("Dockerfile", text.replaceAll("\n", style.end)),
    file("f", "f\n"),
    file("a b", "ab\n"),
    file("d/g", "g\n"),
    file("d/[x]", "x\n"),
  ];
}

/** An expansion, at times of others. */
function makeExpansion(random: Random, { escape }: Style, depth: number): string {
  const name = random.pick(names);
  const inner = (): string =>
    depth > 2
      ? random.pick(literals)
      : random.chance(0.4)
        ? makeExpansion(random, { escape, end: "\n" }, depth + 1)
        : random.pick(["", "a", "'q'", '"q"', `${escape}}`, "x-y", "$", "\\\\"]);
  const pattern = () => random.pick(patterns);
  return random.pick<() => string>([
    () => `$${name}`,
    () => `\${${name}}`,
    () => `\${${name}${random.pick([":-", "-", ":+", "+"])}${inner()}}`,
    () => `\${${name}${random.pick(["#", "##", "%", "%%"])}${pattern()}}`,
    () => `\${${name}${random.pick(["/", "//"])}${pattern() || "a"}/${inner()}}`,
    () => `${escape}$${name}`,
    () => `$${name}${random.pick(["_", "x", ".", "-", "1", "/"])}`,
  ])();
}

/** A word without blanks that nothing protects. */
function makeWord(random: Random, style: Style): string {
  const { escape } = style;
  const part = (): string =>
    random.pick<() => string>([
      () => random.pick(literals),
      () => random.pick(literals),
      () => makeExpansion(random, style, 0),
      () => makeExpansion(random, style, 0),
      () =>
        `"${random.pick(["a  b", "it's", `q${escape}"q`, `b${escape}${escape}`, `${escape}n`, "", "#"])}${random.chance(0.5) ? makeExpansion(random, style, 0) : ""}"`,
      () => `'${random.pick(["a  b", '"', "$A", escape, "", "#", "${x"])}'`,
      () => `${escape}${random.pick([" ", "'", '"', "n", "t", escape, "a", "#"])}`,
    ])();
  return random.several(1, 3, part).join("") || "w";
}

function makeJson(random: Random, words: () => string): string {
  const item = () => JSON.stringify(random.pick([words(), "a b", "", "$A", "ü", "<&>", "tab\t", 'q"q', "\u2028", "\\"]));
  const gap = () => random.pick(["", "", " ", "  "]);
  return `[${gap()}${random.several(1, 3, item).join(`${gap()},${gap()}`)}${gap()}]${gap()}`;
}

/** Words of one instruction over several lines, with what may stand between them. */
function join(random: Random, words: readonly string[], { escape }: Style): string {
  return words.reduce((text, word) => {
    const between = random.chance(0.25)
      ? ` ${escape}${random.pick(["", "", " ", "\t"])}\n${random.pick(["", "", "# comment\n", "\n", "  # comment \n", "#\n\n"])}${random.pick(["", "  ", "\t"])}`
      : random.pick([" ", " ", "  ", "\t"]);
    return text + between + word;
  });
}

function makeHeredoc(random: Random, style: Style): { readonly word: string; readonly text: string } {
  const name = random.pick(["EOF", "E1", "end-here", "a.b", "_"]);
  const dash = random.chance(0.3) ? "-" : "";
  const quoted = random.pick([name, name, `"${name}"`, `'${name}'`]);
  const tab = dash === "-" ? "\t" : "";
  const lines = random.several(
    0,
    4,
    () =>
      `${random.pick(["", tab, `${tab} `, "  "])}${random.pick(["plain", `$A ${makeExpansion(random, style, 0)}`, `ends in ${style.escape}`, "# hash", "", `"$B" '$A'`, `${style.escape}$A`, `${style.escape}${style.escape}n`, "<<X"])}`,
  );
  return { word: `<<${dash}${quoted}`, text: [...lines, `${tab}${name}`].join("\n") };
}

function makeInstruction(random: Random, style: Style): string {
  const word = () => makeWord(random, style);
  const cased = (name: string) => random.pick([name, name, name, name.toLowerCase(), `  ${name}`]);
  const key = () => random.pick(["A", "B", "C", "x1", "LONG_NAME"]);
  const line = (name: string, words: readonly string[]) => join(random, [cased(name), ...words], style);
  const raw = () =>
    random.several(1, 4, () =>
      random.pick(["echo", "$A", '"a  b"', "'c'", `${style.escape}$B`, "&&", "x;", ">f", "[1]", "<&>", "ü"]),
    );
  return random.pick<() => string>([
    () =>
      line(
        "ENV",
        random.several(1, 4, () => `${key()}=${word()}`),
      ),
    () =>
      line(
        "ENV",
        random.several(1, 4, () => `${key()}=${word()}`),
      ),
    () => `ENV ${key()} ${random.several(1, 3, word).join("  ")}`,
    () =>
      line(
        "ARG",
        random.several(1, 3, () => (random.chance(0.7) ? `${key()}=${word()}` : key())),
      ),
    () =>
      line(
        "LABEL",
        random.several(1, 3, () => `${random.pick(["k", "k.l", '"k m"', "$A", "k${B}", "'s'", "k/z"])}=${word()}`),
      ),
    () => `LABEL ${random.pick(["k", '"k m"', "$A"])} ${random.several(1, 3, word).join(" ")}`,
    () => line("WORKDIR", [`/w/${random.pick(["a", "$A", "${B:-b}", "ü", `sp${style.escape} ace`, '"q"', "..", ".", "x/"])}`]),
    () =>
      `USER ${random.pick(["app", "$UNSET", "${UNSET:-0}", "1:2", "root:${EMPTY:-0}", '"app"', "app:extra"])}`.replace(
        "$UNSET",
        "${UNSET:-root}",
      ),
    () =>
      line(
        "EXPOSE",
        random.several(1, 3, () =>
          random.pick(
            [
              "80",
              "81/udp",
              "90-92",
              "${UNSET:-70}",
              "$((1))",
              '"60"',
              "5/SCTP",
              "127.0.0.1:80:81",
              "1-2:3-4/tcp",
              "0080",
            ].filter((port) => !port.startsWith("$((")),
          ),
        ),
      ),
    () =>
      random.chance(0.5)
        ? `VOLUME ${makeJson(random, () => "/v/$A")}`
        : line(
            "VOLUME",
            random.several(1, 3, () => random.pick(["/v", "/v/$A/x", '"/q v"', "/'s'", "rel", `/e${style.escape} f`])),
          ),
    () => `STOPSIGNAL ${random.pick(["${UNSET:-9}", "SIGRTMIN+3", "sigusr1", "KILL", "64", '"15"'])}`,
    () => `${random.pick(["CMD", "ENTRYPOINT"])} ${makeJson(random, () => "x")}`,
    () => line(random.pick(["CMD", "ENTRYPOINT"]), raw()),
    () =>
      line("HEALTHCHECK", [
        ...random
          .several(0, 2, () =>
            random.pick(["--interval=1m", "--timeout=3s", "--retries=3", "--start-period=1.5h", "--start-interval=100ms"]),
          )
          .filter((flag, index, all) => all.findIndex((other) => other.slice(0, 9) === flag.slice(0, 9)) === index),
        "CMD",
        ...(random.chance(0.4) ? [makeJson(random, () => "h")] : raw()),
      ]),
    () =>
      `SHELL ${random.pick(['["/bin/sh","-c"]', '[ "/bin/sh", "-ec" ]', '["/bin/sh", "-c", "eval \\"$0\\""]', '["/bin/busybox", "sh", "-c"]'])}`,
    () => line("ONBUILD", [random.pick(["ENV", "LABEL", "env"]), `${key()}=${word()}`]),
    () => line("ONBUILD", ["CMD", ...raw()]),
    () => `MAINTAINER ${random.several(1, 3, word).join("  ")}`,
    () =>
      line("COPY", [
        random.pick(["f", '"f"', "f", "./f", `"a${style.escape} b"`, "d/"]),
        `/c/${random.pick(["x", "$A", "${B#a}", "ü", "'q'", ""])}`,
      ]),
    () =>
      `COPY [${["f", "a b"].map((name) => JSON.stringify(name)).join(", ")}, "/j/${random.pick(["", "$A/", "ü/", "\\u0041/"])}"]`,
    () => makeCopyHeredoc(random, style),
    () => makeRunHeredoc(random, style),
    () =>
      line("RUN", [
        "echo",
        ...random.several(1, 3, () => random.pick(['"$A"', "'$A'", "a  b", `${style.escape}$A`, "${B:-x}", '"<<E"', "ü", "#x"])),
        ">>",
        "/ran",
      ]),
    () =>
      `RUN ["/bin/sh", "-c", ${JSON.stringify(random.pick(['echo "$A" >> /json', "echo a\tb >> /json", "printf '%s\\n' ü >> /json"]))}]`,
  ])();
}

function makeCopyHeredoc(random: Random, style: Style): string {
  const documents = random
    .several(1, 2, () => makeHeredoc(random, style))
    .filter(({ word }, index, all) => all.findIndex((other) => other.word === word) === index);
  const flags = [
    random.chance(0.3) ? `--chown=${random.pick(["app", "3:4", "$UNSET0"])}`.replace("$UNSET0", "${UNSET:-5}") : "",
    random.chance(0.3) ? `--chmod=${random.pick(["600", "u+x", "${UNSET:-4755}", "a=r"])}` : "",
    random.chance(0.15) ? "--link" : "",
  ].filter(Boolean);
  const target = random.pick(["/h/", "/h/$A/", "/h2/"]);
  return `${random.pick(["COPY", "ADD"])} ${[...flags, ...documents.map(({ word }) => word), ...(random.chance(0.2) ? ["f"] : []), target].join(" ")}\n${documents.map(({ text }) => text).join("\n")}`;
}

function makeRunHeredoc(random: Random, style: Style): string {
  const { word, text } = makeHeredoc(random, style);
  return (
    random.pick([`RUN cat ${word} > /h-ran`, `RUN ${word} cat >> /h-ran`, `RUN cat ${word} | tr a-z A-Z > /h-ran`]) + `\n${text}`
  );
}
