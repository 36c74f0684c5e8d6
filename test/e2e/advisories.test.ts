/** Advisories about other builders' COPY, ADD, mounts and contexts that no test beside the code stands for. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { packArchive, parseEntry } from "../conformance/pack-archive.ts";
import { describeEachWay } from "../kit/each-way.ts";

describeEachWay("advisories", (box) => {
  test("CVE-2018-15664 C04 a folder of the context that becomes a link to the host and back while it is copied never shows the host", async () => {
    const host = box.write("host", { name: "canary of the host" });
    const context = box.write("swapped", { Dockerfile: "FROM scratch\nCOPY d /copied/\nCOPY d/in /in/\n", "d/in/name": "fine" });
    const swap = `
      const { renameSync, symlinkSync, unlinkSync } = require("node:fs");
      const [here, aside] = [${JSON.stringify(join(context, "d/in"))}, ${JSON.stringify(join(context, "aside"))}];
      for (;;) { renameSync(here, aside); symlinkSync(${JSON.stringify(host)}, here); unlinkSync(here); renameSync(aside, here); }`;
    const swapper = spawn(process.execPath, ["-e", swap], { stdio: "ignore" });
    try {
      for (let round = 0; round < 3; round += 1) {
        const out = box.path(`out-${round}`);
        const { code, stderr } = await box.varve(["build", "--progress=plain", "--no-cache", "-o", out, context]);
        // what was not there just then fails the build; what is written is the context's own
        if (code !== 0) assert.match(stderr, /CONTEXT_CHANGED|TREE_[A-Z_]+/);
        for (const name of ["copied/in/name", "in/name"])
          if (existsSync(join(out, name))) assert.equal(readFileSync(join(out, name), "utf8"), "fine");
      }
    } finally {
      swapper.kill("SIGKILL");
      await once(swapper, "exit");
    }
  });

  test("CVE-2024-9407 R06 a mount has no options but its own: none reaches the kernel as text", async () => {
    for (const option of ["bind-propagation=shared", "shared", "z", "U", "relabel=shared", "rw,shared", "o=exec"]) {
      const { code, stderr } = await box.build({ Dockerfile: `FROM scratch\nRUN --mount=type=bind,target=/m,${option} x\n` });
      assert.equal(code, 2, option);
      assert.match(stderr, /Dockerfile:2[^]*\[DOCKERFILE_MOUNT\]/, option);
    }
  });

  test("CVE-2026-28406 CVE-2026-44517 X02 X03 an archive as the context, from stdin or a server, neither writes nor reads outside of it", async () => {
    const host = box.write("outside", { secret: "canary of the host" });
    const entries = [
      { path: "Dockerfile", text: "FROM scratch\nCOPY . /all/\n" },
      { path: "../../../../../../../../climbed", text: "c" },
      { path: join(host, "planted"), text: "p" },
      { path: "way", symlink: host },
      { path: "way/through", text: "t" },
      { path: "file", symlink: join(host, "secret") },
    ];
    const archive = packArchive(
      "context.tar",
      entries.map((entry) => parseEntry(JSON.stringify(entry))),
    );
    const hard = packArchive("context.tar", [
      parseEntry(JSON.stringify(entries[0])),
      parseEntry(JSON.stringify({ path: "hard", link: join(host, "secret") })),
    ]);
    let body = archive;
    const server = createServer((_, response) => void response.end(body));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/context.tar`;
    const holdsCanary = (folder: string): boolean =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .some((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8").includes("canary"));
    try {
      for (const [name, context, input] of [
        ["from-stdin", "-", archive],
        ["from-server", url, archive],
        ["hard-stdin", "-", hard],
        ["hard-server", url, hard],
      ] as const) {
        body = input;
        const out = box.path(name);
        const args = ["build", "--progress=plain", "--no-cache", "-o", out, context];
        const { code, stderr } = await box.varve(args, context === "-" ? { input: Buffer.from(input) } : {});
        if (code !== 0) assert.match(stderr, /\[(?:TAR|LAYER|TREE|ARCHIVE)_[A-Z_]+\]/, name);
        assert.deepEqual([existsSync("/climbed"), readdirSync(host)], [false, ["secret"]], name);
        assert.equal(existsSync(out) && holdsCanary(out), false, name);
      }
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
