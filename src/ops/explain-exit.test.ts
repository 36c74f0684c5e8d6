import assert from "node:assert/strict";
import { test } from "node:test";
import { explainExit } from "./explain-exit.ts";

const failed = { exitCode: 1, killedBy: undefined, lastOutput: "", platform: "linux/amd64" };

test("U08 a command that is not there is named, by whatever shell or runtime says so", () => {
  for (const lastOutput of [
    "/bin/sh: nope: not found\n",
    "/bin/sh: 1: nope: not found\n",
    "/bin/bash: line 1: nope: command not found\n",
    'exec: "nope": executable file not found in $PATH\n',
  ])
    assert.match(explainExit({ ...failed, exitCode: 127, lastOutput }) ?? "", /^the command nope was not found/);
  assert.match(
    explainExit({ ...failed, lastOutput: "executable file `/nope` not found in $PATH" }) ?? "",
    /^the command \/nope was/,
  );
  assert.match(explainExit({ ...failed, exitCode: 127 }) ?? "", /^a command was not found/);
});

test("U08 a program of another platform, one that may not be run, and one that was killed are told apart", () => {
  assert.match(
    explainExit({ ...failed, exitCode: 255, lastOutput: "exec /x: exec format error" }) ?? "",
    /not made for linux\/amd64/,
  );
  assert.match(explainExit({ ...failed, lastOutput: "dd: error writing '/big': No space left on device\n" }) ?? "", /^no room/);
  assert.match(explainExit({ ...failed, exitCode: 126 }) ?? "", /chmod/);
  assert.match(explainExit({ ...failed, exitCode: 137 }) ?? "", /memory/);
  assert.match(explainExit({ ...failed, exitCode: 1, killedBy: "SIGKILL" }) ?? "", /memory/);
});

test("U08 an ordinary failure is left to what the command said itself", () => {
  assert.equal(
    explainExit({ ...failed, exitCode: 2, lastOutput: "make: *** [all] Error 1\ncat: x: not found in archive" }),
    undefined,
  );
  assert.equal(explainExit(failed), undefined);
});
