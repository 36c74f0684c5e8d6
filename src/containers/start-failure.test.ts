import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRuntimeFailure } from "./start-failure.ts";

describe("a program that could not be started", () => {
  const cases: readonly (readonly [complaint: string, program: string, message: string, exitCode: number])[] = [
    [
      "executable file `nope` not found in $PATH: No such file or directory",
      "nope",
      'unable to start container process: exec: "nope": executable file not found in $PATH',
      127,
    ],
    [
      'exec failed: unable to start container process: exec: "nope": executable file not found in $PATH',
      "nope",
      'unable to start container process: exec: "nope": executable file not found in $PATH',
      127,
    ],
    [
      'runc create failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory',
      "/nope",
      'unable to start container process: exec: "/nope": no such file or directory',
      127,
    ],
    [
      "open executable: Operation not permitted",
      "/etc",
      'unable to start container process: exec: "/etc": permission denied',
      126,
    ],
    [
      "chdir to `/nope`: No such file or directory",
      "id",
      'unable to start container process: chdir to cwd ("/nope") set in config.json failed: no such file or directory',
      127,
    ],
    [
      'exec failed: unable to start container process: chdir to cwd ("/nope") set in config.json failed: no such file or directory',
      "id",
      'unable to start container process: chdir to cwd ("/nope") set in config.json failed: no such file or directory',
      127,
    ],
    [
      "cannot set limits of the cgroup: device or resource busy\n",
      "id",
      "cannot set limits of the cgroup: device or resource busy",
      125,
    ],
  ];
  for (const [complaint, program, message, exitCode] of cases) {
    test(`"${complaint.trim()}" is ${exitCode}`, () => {
      assert.deepEqual(readRuntimeFailure(complaint, program), { message, exitCode });
    });
  }
});
