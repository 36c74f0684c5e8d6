import assert from "node:assert/strict";
import { test } from "node:test";
import { buildFlags } from "./build/flags.ts";
import { commands } from "./commands.ts";
import { parseFlags, type FlagTable } from "./flags.ts";

const table = {
  tag: { kind: "list", short: "t", help: "" },
  file: { kind: "string", short: "f", help: "" },
  quiet: { kind: "bool", short: "q", help: "" },
  pull: { kind: "bool", short: "p", help: "" },
  stages: { kind: "csv", help: "" },
  later: { kind: "list", help: "", hidden: true, only: [] },
  push: { kind: "bool", help: "", only: ["false"] },
} as const satisfies FlagTable;

const parse = (...args: string[]) => parseFlags(args, table);
const refuses = (args: string[], message: string, code = "USAGE") => assert.rejects(parse(...args), { code, message });

test("B31 every way to give a value is the same value", async () => {
  for (const args of [["--file=x"], ["--file", "x"], ["-f", "x"], ["-fx"], ["-f=x"], ["-qf", "x"], ["-qfx"], ["-qf=x"]]) {
    assert.equal((await parse(...args)).values.file, "x", args.join(" "));
  }
});

test("flags and other arguments may mix; after -- nothing is a flag", async () => {
  const { values, positionals } = await parse(".", "-t", "a", "--tag=b", "-", "--", "-t", "--pull");
  assert.deepEqual(values.tag, ["a", "b"]);
  assert.deepEqual(positionals, [".", "-", "-t", "--pull"]);
  assert.equal(values.pull, undefined);
});

test("an empty value is a value, and the last one of a string wins", async () => {
  assert.equal((await parse("--file=a", "--file=")).values.file, "");
});

test("bools take Go's words after an equals sign, and never the next argument", async () => {
  const { values, positionals } = await parse("--pull=0", "-q", "false");
  assert.equal(values.pull, false);
  assert.equal(values.quiet, true);
  assert.deepEqual(positionals, ["false"]);
  await refuses(["--pull=maybe"], 'invalid argument "maybe" for "--pull" flag: it is neither true nor false');
});

test("B18 lists with commas are split, repeated ones joined", async () => {
  assert.deepEqual((await parse("--stages=a,b", "--stages", "c")).values.stages, ["a", "b", "c"]);
});

test("unknown flags are refused in Docker's words", async () => {
  await refuses(["--foo"], "unknown flag: --foo");
  await refuses(["-qx"], "unknown shorthand flag: 'x' in -qx");
  await refuses(["--file"], "flag needs an argument: --file");
  await refuses(["-qt"], "flag needs an argument: 't' in -qt");
  await refuses(["--toString=1"], "unknown flag: --toString");
});

test("a mistyped flag is answered with the one that was meant", async () => {
  await assert.rejects(parse("--fiel=x"), { hint: "did you mean --file?" });
  await assert.rejects(parse("--latr"), { hint: undefined });
});

test("what Docker has and Varve does not is refused by its name; a value that changes nothing is taken", async () => {
  await refuses(["--later", "x"], "--later is not supported yet", "NOT_SUPPORTED_YET");
  await refuses(["--later"], "--later is not supported yet", "NOT_SUPPORTED_YET");
  await refuses(["--push"], "--push=true is not supported yet", "NOT_SUPPORTED_YET");
  assert.equal((await parse("--push=false")).values.push, false);
});

test("--help ends the reading", async () => {
  assert.equal((await parse("--help", "--nonsense")).help, true);
  assert.equal((await parse("-h")).help, true);
});

test("B01 B36 build knows every flag of buildx, and no two flags share a letter", async () => {
  const names =
    "add-host allow annotation attest build-arg build-context builder cache-from cache-to call check cgroup-parent debug file iidfile " +
    "label load metadata-file network no-cache no-cache-filter output platform policy progress provenance sbom pull push quiet resource " +
    "memory memory-swap cpu-shares cpu-period cpu-quota cpuset-cpus cpuset-mems secret shm-size ulimit ssh tag target compress isolation " +
    "security-opt squash rm force-rm print";
  for (const name of names.split(" ")) assert.ok(Object.hasOwn(buildFlags, name), name);
  for (const { names, load } of commands) {
    const shorts = Object.values((await load()).flags).flatMap(({ short }) => short ?? []);
    assert.equal(new Set(shorts).size, shorts.length, names[0]);
  }
});
