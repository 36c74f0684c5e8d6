import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDockerfile } from "../dockerfile/index.ts";
import { loadGraph, type ExecOp, type OpMetadata } from "../llb/index.ts";
import type { Digest } from "../oci/index.ts";
import { compileDockerfile } from "./index.ts";

/** The exec op of a stage that ends with one RUN. */
async function compileRun(flags: string, before = ""): Promise<{ readonly exec: ExecOp; readonly metadata: OpMetadata }> {
  const { dockerfile } = parseDockerfile(`FROM a\n${before}\nRUN ${flags} x $TOKEN`, { file: "Dockerfile" });
  const digest = `sha256:${"1".repeat(64)}` as Digest;
  const config = { os: "linux", architecture: "amd64", config: {}, rootfs: { type: "layers" as const, diff_ids: [digest] } };
  const options = {
    buildPlatform: { os: "linux", architecture: "amd64" },
    resolveImage: async (reference: Parameters<Parameters<typeof compileDockerfile>[1]["resolveImage"]>[0]) => ({
      reference,
      digest,
      config,
    }),
  };
  const { definition } = await compileDockerfile(dockerfile, options, { signal: new AbortController().signal });
  for (const { op, metadata } of loadGraph(definition).vertices.values())
    if (op.kind === "exec") return { exec: op.exec, metadata };
  throw new Error("no RUN");
}

const credentials = ({ exec }: { readonly exec: ExecOp }) =>
  exec.mounts.filter(({ type }) => type === "secret" || type === "ssh");

test("R04 a secret is a file under /run/secrets, read by its owner, unless the mount says otherwise", async () => {
  const run = await compileRun(
    "--mount=type=secret,id=a/b --mount=type=secret,source=c,target=t,mode=0444,uid=5,gid=6,required --mount=type=secret,target=/x/d",
  );
  assert.deepEqual(
    credentials(run).map(({ dest, input, output, secret }) => ({ dest, input, output, secret })),
    [
      { dest: "/run/secrets/b", input: -1, output: 0, secret: { id: "a/b", uid: 0, gid: 0, mode: 0o400, optional: true } },
      { dest: "t", input: -1, output: 0, secret: { id: "c", uid: 5, gid: 6, mode: 0o444, optional: false } },
      { dest: "/x/d", input: -1, output: 0, secret: { id: "d", uid: 0, gid: 0, mode: 0o400, optional: true } },
    ],
  );
  assert.deepEqual(run.exec.secretEnv, []);
  assert.equal(run.metadata.caps["exec.mount.secret"], true);
  assert.equal(run.metadata.caps["exec.secretenv"], undefined);
});

test("R04 R05 a secret or an agent cannot take the place of the root", async () => {
  for (const mount of ["type=secret,id=a,target=/", "type=secret,id=a,target=.", "type=ssh,target=/x/.."]) {
    await assert.rejects(
      compileRun(`--mount=${mount}`),
      { code: "FRONTEND_VALUE_INVALID", message: /invalid mount target/ },
      mount,
    );
  }
});

test("Y13 a secret with env is a file only where it has a target too; progress shows asterisks for it", async () => {
  const run = await compileRun("--mount=type=secret,id=a,env=TOKEN --mount=type=secret,id=b,env=B,target=/b,required=true");
  assert.deepEqual(run.exec.secretEnv, [
    { id: "a", name: "TOKEN", optional: true },
    { id: "b", name: "B", optional: false },
  ]);
  assert.deepEqual(
    credentials(run).map(({ dest }) => dest),
    ["/b"],
  );
  assert.match(run.metadata.description["llb.customname"] ?? "", /x \*{4}$/);
  assert.equal(run.metadata.caps["exec.secretenv"], true);
});

test("R05 Y14 agents have numbered sockets, and SSH_AUTH_SOCK is the first one's unless it is set", async () => {
  const flags = "--mount=type=ssh --mount=type=ssh,id=x,mode=0660,gid=7,required --mount=type=ssh,target=/s";
  const run = await compileRun(flags);
  assert.deepEqual(
    credentials(run).map(({ dest, ssh }) => ({ dest, ssh })),
    [
      { dest: "/run/buildkit/ssh_agent.0", ssh: { id: "", uid: 0, gid: 0, mode: 0o600, optional: true } },
      { dest: "/run/buildkit/ssh_agent.1", ssh: { id: "x", uid: 0, gid: 7, mode: 0o660, optional: false } },
      { dest: "/s", ssh: { id: "", uid: 0, gid: 0, mode: 0o600, optional: true } },
    ],
  );
  const socketOf = ({ exec }: { readonly exec: ExecOp }) => exec.meta.env.filter((entry) => entry.startsWith("SSH_AUTH_SOCK="));
  assert.deepEqual(socketOf(run), ["SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0"]);
  assert.equal(run.metadata.caps["exec.mount.ssh"], true);
  assert.deepEqual(socketOf(await compileRun(flags, "ENV SSH_AUTH_SOCK=/own")), ["SSH_AUTH_SOCK=/own"]);
  assert.deepEqual(socketOf(await compileRun("--mount=type=ssh,target=/first --mount=type=ssh")), ["SSH_AUTH_SOCK=/first"]);
});

test("R07 R08 network and security of a RUN stand in its op", async () => {
  const run = await compileRun("--security=insecure --network=host");
  assert.deepEqual([run.exec.security, run.exec.network], ["insecure", "host"]);
  assert.equal(run.metadata.caps["exec.meta.security"], true);
});
