import assert from "node:assert/strict";
import { test } from "node:test";
import { isVarveError } from "../errors/index.ts";
import { checkMount } from "./check-mount.ts";
import type { CheckedMount, RunInstruction } from "./instructions.ts";
import { parseDockerfile } from "./parse-dockerfile.ts";

function mount(text: string): CheckedMount {
  const { dockerfile } = parseDockerfile(`FROM scratch\nRUN --mount=${text} true\n`, { file: "Dockerfile" });
  const run = dockerfile.stages[0]!.instructions[0] as RunInstruction;
  return checkMount(run.mounts[0]!);
}

function refuses(text: string, message: RegExp): void {
  assert.throws(
    () => mount(text),
    (error: unknown) =>
      isVarveError(error) && error.code === "DOCKERFILE_MOUNT" && error.where?.startLine === 2 && message.test(error.message),
    text,
  );
}

const nobody = { mode: undefined, uid: undefined, gid: undefined };

test("R01 a bind mount is the default type and read-only", () => {
  const bind = { type: "bind", target: "/x", source: undefined, from: undefined, readonly: true };
  assert.deepEqual(mount("target=/x"), bind);
  assert.deepEqual(mount("type=bind,dst=/x,src=s,from=base,rw"), { ...bind, source: "s", from: "base", readonly: false });
  assert.deepEqual(mount("destination=/x,rw=false"), bind);
  assert.deepEqual(mount("target=x,ro=0"), { ...bind, target: "x", readonly: false });
});

test("R01 the root cannot be a mount target, however written", () => {
  refuses("target=/", /invalid mount target "\/"/);
  refuses("type=cache,target=/a/..", /invalid mount target/);
});

test("R02 a cache mount is writable and shared unless it says otherwise", () => {
  const cache = { type: "cache", target: "/c", id: undefined, sharing: "shared", from: undefined, source: undefined, ...nobody };
  assert.deepEqual(mount("type=cache,target=/c"), { ...cache, readonly: false });
  assert.deepEqual(mount("type=cache,target=/c,id=i,sharing=LOCKED,mode=0700,uid=1,gid=2,ro,from=f,source=/s"), {
    ...cache,
    id: "i",
    sharing: "locked",
    mode: 0o700,
    uid: 1,
    gid: 2,
    readonly: true,
    from: "f",
    source: "/s",
  });
  refuses("type=cache,target=/c,sharing=lockd", /unsupported sharing value "lockd" \(did you mean locked\?\)/);
});

test("R03 a tmpfs mount has a size in units", () => {
  assert.deepEqual(mount("type=tmpfs,target=/t,size=64m"), { type: "tmpfs", target: "/t", size: 67_108_864, readonly: false });
  assert.deepEqual(mount("type=tmpfs,target=/t"), { type: "tmpfs", target: "/t", size: 0, readonly: false });
  refuses("type=tmpfs,target=/t,size=big", /invalid value for size: big/);
  refuses("target=/t,size=1m", /unexpected key 'size' for mount type 'bind'/);
});

test("R04 a secret has its id from id, source or target", () => {
  const secret = { type: "secret", id: "s", target: undefined, env: undefined, required: false, ...nobody };
  assert.deepEqual(mount("type=secret,id=s"), secret);
  assert.deepEqual(mount("type=secret,source=s,required"), { ...secret, required: true });
  assert.deepEqual(mount("type=secret,target=/run/x/s,required=false,mode=0440"), { ...secret, target: "/run/x/s", mode: 0o440 });
  assert.deepEqual(mount("type=secret,id=s,env=TOKEN"), { ...secret, env: "TOKEN" });
  assert.deepEqual(mount("type=secret,id=s,env="), { ...secret, env: "s" });
});

test("R04 a secret refuses what makes no sense", () => {
  refuses("type=secret", /one of source, target required/);
  refuses("type=secret,id=a,source=b", /both source and id/);
  refuses("type=secret,id=a,from=b", /should not have a from/);
  refuses("type=secret,id=a,sharing=shared", /should not define sharing/);
  refuses("type=secret,id=a,required=maybe", /invalid value for required: maybe/);
  refuses("type=secret,id=a,mode=9", /invalid value 9 for mode/);
});

test("R05 an ssh mount may have id, target and owner, but no source", () => {
  const ssh = { type: "ssh", id: undefined, target: undefined, required: false, ...nobody };
  assert.deepEqual(mount("type=ssh"), ssh);
  assert.deepEqual(mount("type=ssh,id=k,target=/s,required,uid=5"), { ...ssh, id: "k", target: "/s", required: true, uid: 5 });
  refuses("type=ssh,source=x", /ssh does not support source/);
});

test("R06 keys are case-insensitive, in any order, and unknown ones get a suggestion", () => {
  assert.equal(mount("TARGET=/x,Required=true,TYPE=Secret,id=a").type, "secret");
  refuses("tarqet=/x", /unexpected key 'tarqet' in 'tarqet=\/x' \(did you mean target\?\)/);
  refuses("target", /invalid field 'target' must be a key=value pair/);
  refuses("type=bnd,target=/x", /unsupported mount type "bnd" \(did you mean bind\?\)/);
  refuses("target=/x,uid=0", /uid not allowed for "bind" type mounts/);
  refuses("target=/x,required", /unexpected key 'required' for mount type 'bind'/);
  refuses("target=/x,sharing=shared", /invalid cache sharing set for bind mount/);
});

test("R06 fields are CSV, so that quoted ones may hold commas", () => {
  const bind = mount(`'"source=a,b",target=/x'`);
  assert.ok(bind.type === "bind");
  assert.equal(bind.source, "a,b");
  refuses('a\\"b', /failed to parse csv mounts/);
  refuses("", /failed to parse csv mounts/);
});

test("R06 the type may be a variable until it is checked", () => {
  const { dockerfile } = parseDockerfile("FROM scratch\nRUN --mount=type=$T,target=/x x\n", { file: "Dockerfile" });
  const run = dockerfile.stages[0]!.instructions[0] as RunInstruction;
  const fields = run.mounts[0]!.fields.map((field) => ({ ...field, value: field.value?.replace("$T", "tmpfs") }));
  assert.equal(checkMount({ ...run.mounts[0]!, fields }).type, "tmpfs");
});

test("R06 from must be known before expansion", () => {
  refuses("from=$X,target=/x", /'from' doesn't support variable expansion/);
});
