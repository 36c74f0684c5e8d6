import assert from "node:assert/strict";
import { test } from "node:test";
import { isVarveError, type ErrorCode } from "../errors/index.ts";
import type { Dockerfile, Instruction } from "./instructions.ts";
import { parseDockerfile, parseTrigger } from "./parse-dockerfile.ts";

const parse = (source: string): Dockerfile => parseDockerfile(source, { file: "Dockerfile" }).dockerfile;

type Kind<K extends Instruction["kind"]> = Extract<Instruction, { readonly kind: K }>;

/** The one instruction of `line` in a stage. */
function one<K extends Instruction["kind"]>(kind: K, line: string): Kind<K> {
  const [instruction, ...more] = parse(`FROM scratch\n${line}\n`).stages[0]!.instructions;
  assert.equal(more.length, 0);
  assert.equal(instruction?.kind, kind);
  return instruction as Kind<K>;
}

function fails(source: string, code: ErrorCode, line: number, message: RegExp): void {
  assert.throws(
    () => parse(source),
    (error: unknown) => {
      assert.ok(isVarveError(error), String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.equal(error.where?.startLine, line);
      assert.equal(error.where.source, source);
      return true;
    },
  );
}

/** `line` after a FROM is refused. */
const refuses = (line: string, code: ErrorCode, message: RegExp): void => fails(`FROM scratch\n${line}`, code, 2, message);

test("I01 FROM has a base, a platform and a name", () => {
  const [first, second] = parse("FROM --platform=$P a:b@c aS Build-1.x_y\nFROM build-1.x_y\n").stages;
  assert.deepEqual(
    [first!.from.base, first!.from.platform, first!.from.name, first!.from.nameAsWritten],
    ["a:b@c", "$P", "build-1.x_y", "Build-1.x_y"],
  );
  assert.deepEqual([second!.index, second!.from.base, second!.from.name], [1, "build-1.x_y", undefined]);
});

test("I01 FROM takes one or three arguments and a proper name", () => {
  fails("FROM", "DOCKERFILE_SYNTAX", 1, /dockerfile parse error on line 1: FROM requires either one or three arguments/);
  fails("FROM a b", "DOCKERFILE_SYNTAX", 1, /one or three/);
  fails("FROM a IS b", "DOCKERFILE_SYNTAX", 1, /one or three/);
  fails("FROM a AS b c", "DOCKERFILE_SYNTAX", 1, /one or three/);
  fails("FROM a AS 1b", "DOCKERFILE_STAGE_NAME", 1, /invalid name for build stage: "1b"/);
  fails("FROM a AS b/c", "DOCKERFILE_STAGE_NAME", 1, /invalid name for build stage/);
});

test("S04 a stage name that comes twice is a warning", () => {
  const { linter } = parseDockerfile("FROM a AS x\nFROM b AS x\n", { file: "Dockerfile" });
  assert.deepEqual(
    linter.warnings.map(({ rule, where }) => [rule, where.startLine]),
    [["DuplicateStageName", 2]],
  );
});

test("P12 only ARG may come before FROM, and without FROM there is no build", () => {
  const { globalArgs, stages } = parse("ARG a=1\nARG b\nFROM x\nARG c\n");
  assert.deepEqual([globalArgs.map(({ args }) => args[0]!.name), stages[0]!.instructions.length], [["a", "b"], 1]);
  fails("ARG a\nRUN x\nFROM y", "DOCKERFILE_NO_FROM", 2, /no build stage in current context/);
  fails("ARG a\n", "DOCKERFILE_NO_FROM", 1, /dockerfile contains no stages to build/);
  fails("", "DOCKERFILE_EMPTY", 1, /file with no instructions/);
  fails("# only\n\n", "DOCKERFILE_EMPTY", 1, /file with no instructions/);
});

test("P02 an unknown instruction is an error with a suggestion", () => {
  fails("FORM x", "DOCKERFILE_UNKNOWN_INSTRUCTION", 1, /unknown instruction: FORM \(did you mean FROM\?\)/);
  refuses("cpoy a b", "DOCKERFILE_UNKNOWN_INSTRUCTION", /unknown instruction: cpoy \(did you mean copy\?\)/);
  refuses("INSTALL x", "DOCKERFILE_UNKNOWN_INSTRUCTION", /unknown instruction: INSTALL$/);
  refuses("constructor x", "DOCKERFILE_UNKNOWN_INSTRUCTION", /unknown instruction: constructor$/);
});

test("P07 an unknown flag is an error with a suggestion and its own place", () => {
  const source = "FROM scratch\nCOPY --link --form=a b c";
  fails(source, "DOCKERFILE_UNKNOWN_FLAG", 2, /unknown flag: --form \(did you mean from\?\)/);
  assert.throws(
    () => parse(source),
    (error: unknown) => isVarveError(error) && error.where?.startColumn === 13 && error.where.endColumn === 21,
  );
  for (const line of ["CMD --x", "ENV --x a=b", "STOPSIGNAL --x 9", "ARG --x y", "HEALTHCHECK --x NONE", "RUN --__proto__ x"]) {
    refuses(line, "DOCKERFILE_UNKNOWN_FLAG", /unknown flag: --/);
  }
});

test("P07 flags that are no list come once, and with the value that their kind asks", () => {
  refuses("COPY --from=a --from=b c d", "DOCKERFILE_FLAG", /duplicate flag specified: --from/);
  refuses("COPY --link --link=false c d", "DOCKERFILE_FLAG", /duplicate flag specified: --link/);
  refuses("COPY --from c d", "DOCKERFILE_FLAG", /missing a value on flag: --from/);
  refuses("COPY --link= c d", "DOCKERFILE_FLAG", /missing a value on flag: --link/);
  refuses("COPY --link=yes c d", "DOCKERFILE_FLAG", /expecting boolean value for flag --link, not: yes/);
  assert.equal(one("copy", "COPY --link=TRUE a b").link, true);
  assert.equal(one("copy", "COPY --link=false a b").link, false);
});

test("P08 a JSON array of texts is exec form, broken JSON is shell form", () => {
  assert.deepEqual(one("cmd", 'CMD [ "a",  "b\\u0021" ]').command, { form: "exec", args: ["a", "b!"] });
  assert.deepEqual(one("cmd", "CMD ['a']").command, { form: "shell", text: "['a']" });
  assert.deepEqual(one("cmd", 'CMD ["a"] b').command, { form: "shell", text: '["a"] b' });
  assert.deepEqual(one("cmd", 'CMD \\\n ["a",\\\n "b"]').command, { form: "exec", args: ["a", "b"] });
  refuses('CMD ["a", 1]', "DOCKERFILE_SYNTAX", /arrays must be comprised of strings only/);
  refuses("RUN [[]]", "DOCKERFILE_SYNTAX", /strings only/);
});

test("I02 RUN takes its flags and leaves variables in its text alone", () => {
  const run = one("run", "RUN --network=host --security=insecure --mount=type=ssh --mount=TARGET=/x,rw echo $a  'b'");
  assert.deepEqual([run.network, run.security, run.command], ["host", "insecure", { form: "shell", text: "echo $a  'b'" }]);
  assert.deepEqual(
    run.mounts.map((mount) => mount.fields),
    [
      [{ key: "type", value: "ssh" }],
      [
        { key: "target", value: "/x" },
        { key: "rw", value: undefined },
      ],
    ],
  );
  assert.equal(run.mounts[1]!.where.startColumn, 57);
});

test("R07 R08 network and security know their words only", () => {
  refuses("RUN --network=bridge x", "DOCKERFILE_FLAG", /invalid network mode "bridge"/);
  refuses("RUN --security=none x", "DOCKERFILE_FLAG", /security "none" is not valid/);
});

test("R09 a device has a name and may be required", () => {
  const devices = (flag: string): unknown =>
    one("run", `RUN --device=${flag} x`).devices.map(({ name, required }) => [name, required]);
  assert.deepEqual(devices("vendor.com/class=dev,required"), [["vendor.com/class=dev", true]]);
  assert.deepEqual(devices("name=a/b,required=false"), [["a/b", false]]);
  refuses("RUN --device=a,reqired=1 x", "DOCKERFILE_FLAG", /unexpected key 'reqired' .*did you mean required/);
  refuses("RUN --device=a,b x", "DOCKERFILE_FLAG", /must be a key=value pair/);
  refuses("RUN --device=a,name=b x", "DOCKERFILE_FLAG", /device name already set to a/);
});

test("H04 H05 RUN keeps its command and its heredocs side by side", () => {
  const run = one("run", "RUN <<-E cat 3<<F\n\ta\n\tE\nb\nF");
  assert.deepEqual(run.command, { form: "shell", text: "<<-E cat 3<<F" });
  assert.deepEqual(
    run.heredocs.map(({ name, content }) => [name, content]),
    [
      ["E", "a\n"],
      ["F", "b\n"],
    ],
  );
});

test("I03 I04 CMD and ENTRYPOINT may be empty", () => {
  assert.deepEqual(one("entrypoint", "ENTRYPOINT []").command, { form: "exec", args: [] });
  assert.deepEqual(one("cmd", "CMD").command, { form: "shell", text: "" });
  assert.deepEqual(one("entrypoint", "ENTRYPOINT exec top").command, { form: "shell", text: "exec top" });
});

test("I05 COPY takes its flags, paths as words or JSON", () => {
  const copy = one("copy", "COPY --from=b --chown=1:2 --chmod=u+x --parents --exclude=a --exclude=b x y/ /z");
  assert.deepEqual([copy.from, copy.chown, copy.chmod, copy.link, copy.parents], ["b", "1:2", "u+x", false, true]);
  assert.deepEqual([copy.exclude, copy.sources, copy.destination], [["a", "b"], ["x", "y/"], "/z"]);
  assert.deepEqual(one("copy", 'COPY ["a b", "/c d"]').sources, ["a b"]);
});

test("P09 COPY and ADD need a source and a destination", () => {
  refuses("COPY a", "DOCKERFILE_SYNTAX", /COPY requires at least two arguments, but only one was provided/);
  refuses("ADD", "DOCKERFILE_SYNTAX", /ADD requires at least two arguments/);
  refuses('COPY ["a"]', "DOCKERFILE_SYNTAX", /at least two arguments/);
});

test("H06 heredocs of COPY are sources with a body, never the destination", () => {
  const copy = one("copy", "COPY a << E <<'F' /x/\n1\nE\n2\nF");
  assert.deepEqual(copy.sources, ["a"]);
  assert.deepEqual(
    copy.heredocs.map(({ name, content, expand }) => [name, content, expand]),
    [
      ["E", "1\n", true],
      ["F", "2\n", false],
    ],
  );
  refuses("COPY a <<E\nE", "DOCKERFILE_HEREDOC", /COPY cannot accept a heredoc as a destination/);
  refuses('COPY ["<<E", "/x"]', "DOCKERFILE_HEREDOC", /no body for the heredoc E/);
});

test("I06 ADD tells flags that are false from those not given", () => {
  const add = one("add", "ADD --checksum=sha256:0 --keep-git-dir=false --unpack --link https://x/y /z");
  assert.deepEqual([add.checksum, add.keepGitDir, add.unpack, add.link], ["sha256:0", false, true, true]);
  const plain = one("add", "ADD a /z");
  assert.deepEqual([plain.checksum, plain.keepGitDir, plain.unpack], [undefined, undefined, undefined]);
});

test("I07 I09 P11 ENV and LABEL have pairs as written, or one old pair", () => {
  const env = one("env", `ENV a=1 b="x y" c=d\\ e "f"=g`);
  assert.deepEqual(
    env.pairs.map(({ key, value }) => [key, value]),
    [
      ["a", "1"],
      ["b", '"x y"'],
      ["c", "d\\ e"],
      ['"f"', "g"],
    ],
  );
  assert.equal(env.legacy, false);
  const label = one("label", "LABEL a  b=c  d");
  assert.deepEqual([label.pairs, label.legacy], [[{ key: "a", value: "b=c  d" }], true]);
});

test("P11 pairs need a name and an equals sign", () => {
  refuses("ENV a", "DOCKERFILE_SYNTAX", /ENV must have two arguments/);
  refuses("ENV", "DOCKERFILE_SYNTAX", /ENV requires at least one argument/);
  refuses("ENV a=1 b", "DOCKERFILE_SYNTAX", /can't find = in "b"\. Must be of the form: name=value/);
  refuses("LABEL =x", "DOCKERFILE_SYNTAX", /LABEL names can not be blank/);
  refuses("ARG =x", "DOCKERFILE_SYNTAX", /ARG names can not be blank/);
});

test("I08 ARG has names with or without a default, each with its place", () => {
  const arg = one("arg", "ARG a b= c='x y'");
  assert.deepEqual(
    arg.args.map(({ name, value, where }) => [name, value, where.startColumn, where.endColumn]),
    [
      ["a", undefined, 5, 6],
      ["b", "", 7, 9],
      ["c", "'x y'", 10, 17],
    ],
  );
  refuses("ARG", "DOCKERFILE_SYNTAX", /ARG requires at least one argument/);
});

test("I10 EXPOSE words come in the order of their text", () => {
  assert.deepEqual(one("expose", "EXPOSE 80 443/tcp 8000-8010 $p").ports, ["$p", "443/tcp", "80", "8000-8010"]);
  refuses("EXPOSE", "DOCKERFILE_SYNTAX", /EXPOSE requires at least one argument/);
});

test("P10 USER, WORKDIR, STOPSIGNAL and MAINTAINER take the rest of the line", () => {
  assert.equal(one("user", "USER a b").user, "a b");
  assert.equal(one("workdir", 'WORKDIR "a b"/$c').path, '"a b"/$c');
  assert.equal(one("stopsignal", "STOPSIGNAL SIGTERM ").signal, "SIGTERM");
  assert.equal(one("maintainer", "MAINTAINER A B <c@d>").name, "A B <c@d>");
  for (const name of ["USER", "WORKDIR", "STOPSIGNAL", "MAINTAINER"]) {
    refuses(name, "DOCKERFILE_SYNTAX", new RegExp(`${name} requires exactly one argument`));
  }
});

test("I13 VOLUME takes words or JSON, none of them blank", () => {
  assert.deepEqual(one("volume", "VOLUME /a /b").paths, ["/a", "/b"]);
  assert.deepEqual(one("volume", 'VOLUME ["/a b ", "/c"]').paths, ["/a b", "/c"]);
  refuses('VOLUME [" "]', "DOCKERFILE_SYNTAX", /can not be an empty string/);
  refuses("VOLUME []", "DOCKERFILE_SYNTAX", /VOLUME requires at least one argument/);
});

test("I15 HEALTHCHECK has a test and durations in nanoseconds", () => {
  const check = one(
    "healthcheck",
    "HEALTHCHECK --interval=5m --timeout=3s --start-period=0 --start-interval=1.5s --retries=3 cmd curl -f x || exit 1",
  );
  assert.deepEqual(check.test, ["CMD-SHELL", "curl -f x || exit 1"]);
  assert.deepEqual(
    [check.interval, check.timeout, check.startPeriod, check.startInterval, check.retries],
    [3e11, 3e9, 0, 1.5e9, 3],
  );
  assert.deepEqual(one("healthcheck", 'HEALTHCHECK CMD ["a", "b"]').test, ["CMD", "a", "b"]);
  assert.deepEqual(one("healthcheck", "HEALTHCHECK none").test, ["NONE"]);
  assert.equal(one("healthcheck", "HEALTHCHECK CMD x").interval, undefined);
});

test("I15 HEALTHCHECK refuses what it cannot run or measure", () => {
  refuses("HEALTHCHECK", "DOCKERFILE_SYNTAX", /HEALTHCHECK requires at least one argument/);
  refuses("HEALTHCHECK NONE x", "DOCKERFILE_SYNTAX", /HEALTHCHECK NONE takes no arguments/);
  refuses("HEALTHCHECK CMD", "DOCKERFILE_SYNTAX", /Missing command after HEALTHCHECK CMD/);
  refuses("HEALTHCHECK CMD []", "DOCKERFILE_SYNTAX", /Missing command/);
  refuses("HEALTHCHECK curl x", "DOCKERFILE_SYNTAX", /Unknown type "CURL" in HEALTHCHECK \(try CMD\)/);
  refuses("HEALTHCHECK --interval=1us CMD x", "DOCKERFILE_FLAG", /Interval "interval" cannot be less than 1ms/);
  refuses("HEALTHCHECK --timeout=-1s CMD x", "DOCKERFILE_FLAG", /cannot be less than 1ms/);
  refuses("HEALTHCHECK --timeout=5 CMD x", "DOCKERFILE_FLAG", /invalid duration "5"/);
  refuses("HEALTHCHECK --retries=-1 CMD x", "DOCKERFILE_FLAG", /--retries cannot be negative/);
  refuses("HEALTHCHECK --retries=x CMD x", "DOCKERFILE_FLAG", /invalid number "x" for --retries/);
});

test("I16 SHELL is JSON with at least one item", () => {
  assert.deepEqual(one("shell", 'SHELL ["bash", "-c"]').args, ["bash", "-c"]);
  refuses("SHELL bash -c", "DOCKERFILE_SYNTAX", /SHELL requires the arguments to be in JSON form/);
  refuses("SHELL []", "DOCKERFILE_SYNTAX", /SHELL requires at least one argument/);
});

test("I17 ONBUILD keeps the text of its trigger, heredoc bodies included", () => {
  assert.equal(one("onbuild", "ONBUILD  RUN a \\\n  b  ").trigger, "RUN a   b  ");
  assert.equal(one("onbuild", "onbuild COPY <<-E /x\n\ta\n\tE").trigger, "COPY <<-E /x\n\ta\nE");
});

test("I17 ONBUILD refuses triggers that cannot be, and mistakes in the others", () => {
  refuses("ONBUILD", "DOCKERFILE_SYNTAX", /ONBUILD requires at least one argument/);
  refuses("ONBUILD onbuild RUN x", "DOCKERFILE_TRIGGER", /Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed/);
  refuses("ONBUILD FROM x", "DOCKERFILE_TRIGGER", /FROM isn't allowed as an ONBUILD trigger/);
  refuses("ONBUILD MAINTAINER x", "DOCKERFILE_TRIGGER", /MAINTAINER isn't allowed as an ONBUILD trigger/);
  refuses("ONBUILD ENV a", "DOCKERFILE_SYNTAX", /on line 2: ENV must have two arguments/);
  refuses("ONBUILD RNU x", "DOCKERFILE_UNKNOWN_INSTRUCTION", /did you mean RUN/);
});

test("I17 a trigger's text is one instruction", () => {
  const where = { file: "Dockerfile", startLine: 7, startColumn: 1, endLine: 7, endColumn: 9 };
  const copy = parseTrigger("COPY <<-E /x\n\ta\nE", { file: "trigger", where });
  assert.ok(copy.kind === "copy");
  assert.deepEqual([copy.heredocs[0]!.content, copy.where], ["a\n", where]);
  for (const text of ["", "RUN a\nRUN b", "FROM x", "ONBUILD RUN x"]) {
    assert.throws(
      () => parseTrigger(text, { file: "trigger", where }),
      (error: unknown) => isVarveError(error) && error.code === "DOCKERFILE_TRIGGER" && error.where === where,
      text,
    );
  }
});

test("D01 D03 the values of syntax and check are the Dockerfile's", () => {
  const { syntax, check, escape } = parse("# syntax=docker/dockerfile:1\n# check=error=true\n# escape=`\nFROM x");
  assert.deepEqual([syntax, check, escape], ["docker/dockerfile:1", "error=true", "`"]);
});

test("P13 P14 instructions carry their range, their text on one line and their comments", () => {
  const source = "FROM a\n# why\nRUN x \\\n  y\n\n";
  const run = parse(source).stages[0]!.instructions[0]!;
  assert.deepEqual([run.original, run.docComment], ["RUN x   y", ["why"]]);
  assert.deepEqual(run.where, { file: "Dockerfile", startLine: 3, startColumn: 1, endLine: 4, endColumn: 4, source });
});
