import assert from "node:assert/strict";
import { test } from "node:test";
import { readLateStartFailure, readStartFailure, runtimeFailure } from "./runtime-log.ts";

test("the runtimes' words for a program that does not start are understood, and nothing else is", () => {
  const read = (complaint: string): string | undefined => readStartFailure(complaint, "/x")?.replace('exec: "/x": ', "");
  const start = "runc run failed: unable to start container process: ";
  assert.equal(read(`${start}exec: "/x": stat /x: no such file or directory`), "no such file or directory");
  assert.equal(read(`${start}error during container init: exec: "/x": is a directory`), "permission denied");
  assert.equal(read("executable file `/x` not found in $PATH: No such file or directory"), "no such file or directory");
  assert.equal(read("open executable: Permission denied"), "permission denied");
  assert.equal(read(`${start}error mounting "/h" to rootfs at "/exec/x": no such file or directory`), undefined);
  assert.equal(read("openat2 `/dev/null`: No such file or directory"), undefined);
  assert.equal(readLateStartFailure("exec /x: exec format error\n", "/x"), 'exec: "/x": exec format error');
  assert.equal(readLateStartFailure("exec container process `/x`: Exec format error\n", "/x"), 'exec: "/x": exec format error');
  assert.equal(readLateStartFailure("building\nexec /x: exec format error\n", "/x"), undefined);
});

test("a runtime without seccomp, or without cgroups that it can write, is explained", () => {
  const runtime = { name: "runc", path: "/bin/runc" } as const;
  const seccomp = runtimeFailure(runtime, "config provided but seccomp not supported");
  assert.equal(seccomp.code, "RUNTIME_UNSUPPORTED");
  const cgroup = runtimeFailure(
    runtime,
    "runc run failed: unable to start container process: mkdir /sys/fs/cgroup/cpuset/varve: read-only file system",
  );
  assert.equal(cgroup.message, "runc could not run the step: mkdir /sys/fs/cgroup/cpuset/varve: read-only file system");
  assert.match(cgroup.hint ?? "", /cgroups/);
});
