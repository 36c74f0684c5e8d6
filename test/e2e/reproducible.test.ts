import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openTrial } from "../kit/trial.ts";

const files = {
  Dockerfile: `FROM busybox AS tools
WORKDIR /made/by/workdir
COPY --chown=1000:1000 --chmod=755 src/a.sh bin/
FROM scratch
COPY . /app/
COPY --from=tools /made /made
COPY <<EOF /etc/motd
hello
EOF
ENTRYPOINT ["/app/src/a.sh"]
`,
  "src/a.sh": { text: "#!/bin/sh\necho a\n", mode: 0o755 },
  "src/b": "b",
  link: { link: "src/b" },
} as const;

test("T44 the same files give the same archive bytes in another folder, another store and at another time", async (t) => {
  const first = openTrial(t, files);
  const second = openTrial(t);
  execFileSync("cp", ["-a", `${first.context}/.`, second.context]);
  const args = ["build", "-t", "app", "-o", "type=oci,dest=../app.tar", "."];
  assert.equal((await first.varve(...args)).code, 0);
  assert.equal((await second.varve(...args)).code, 0);
  const bytes = (folder: string) => readFileSync(join(folder, "app.tar"));
  assert.ok(bytes(first.folder).equals(bytes(second.folder)));
  rmSync(join(second.folder, "app.tar"));
  assert.equal((await second.varve(...args.slice(0, -1), "--no-cache", ".")).code, 0);
  assert.ok(bytes(first.folder).equals(bytes(second.folder)), "without the cache too");
});

test("O02 an ordinary user gets the same image as root, digest for digest", async (t) => {
  const root = openTrial(t, files);
  const user = openTrial(t, {}, { ordinary: true });
  execFileSync("cp", ["-a", `${root.context}/.`, user.context]);
  const asRoot = await root.varve("build", "-q", ".");
  const asUser = await user.varve("build", "-q", ".");
  assert.equal(asUser.code, 0, asUser.stderr);
  assert.equal(asUser.stdout.toString(), asRoot.stdout.toString());
});

test("O02 RUN works for an ordinary user: ids, files of others, deletions, cache mounts", async (t) => {
  const user = openTrial(
    t,
    {
      Dockerfile: `FROM busybox AS run
RUN mkdir /d && touch /d/f && chown 1234:4321 /d/f && chmod 4755 /d/f
RUN --mount=type=cache,target=/c rm -r /d && mkdir /d && touch /d/g /c/x && chown 65534 /d/g && id -u >/id
USER 1000
RUN id >/tmp/id
FROM scratch
COPY --from=run /d /d
COPY --from=run /tmp/id /
`,
    },
    { ordinary: true },
  );
  const { code, stderr } = await user.varve("build", "-o", "type=tar,dest=out.tar", ".");
  assert.equal(code, 0, stderr);
  const listing = execFileSync("tar", ["--numeric-owner", "-tvf", join(user.context, "out.tar")], { encoding: "utf8" });
  assert.match(listing, /65534\/0 .* d\/g$/m);
  assert.doesNotMatch(listing, /d\/f$/m);
  assert.match(execFileSync("tar", ["-xOf", join(user.context, "out.tar"), "id"], { encoding: "utf8" }), /uid=1000 gid=0/);
});
