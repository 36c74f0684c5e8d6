/** The tutorial's server: built from chapter 8, loaded into other tools and asked. */
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { before, test } from "node:test";
import type { RunningCommand } from "../kit/command.ts";
import { describeOnce } from "../kit/each-way.ts";
import { openDocker, openPodman } from "../kit/engines.ts";

const example = resolve(import.meta.dirname, "../../examples/buildme");

describeOnce("the tutorial's server", (box) => {
  const archive = (type: string) => box.path(`server.${type}.tar`);
  const image = `varve.test/buildme-server-${process.pid}`;

  before(async () => {
    cpSync(example, box.path("buildme"), { recursive: true });
    const context = box.write("buildme", {});
    const flags = [
      "--target=server",
      "-t",
      image,
      "-f",
      `${context}/chapters/8.Dockerfile`,
      "--output",
      `type=oci,dest=${archive("oci")}`,
      "--output",
      `type=docker,dest=${archive("docker")}`,
    ];
    await box.succeed(["build", ...flags, context]);
  });

  for (const kind of ["podman", "docker"] as const) {
    test(`I01 R02 ${kind} runs it, and it answers on port 3000`, async (t) => {
      const engine = kind === "podman" ? openPodman(box.path("podman")) : await openDocker(box.path("docker"));
      if (typeof engine === "string") return t.skip(engine);
      const container = `varve-server-${process.pid}`;
      try {
        await engine.run("load", "-q", "-i", archive(engine.withoutOci === undefined ? "oci" : "docker"));
        const server = engine.start("run", ...engine.runFlags, "--name", container, image);
        try {
          assert.equal(await ask("http://127.0.0.1:3000/?s=hello", server), "hohelollolo");
        } finally {
          await engine.run("kill", container);
          await server.result;
          await engine.run("rmi", "-f", image);
        }
      } finally {
        await engine.stop();
      }
    });
  }
});

/** How long a busy machine may take until the server listens. */
const patienceMs = 180_000;

/** The answer, as soon as there is one; fails when the server has ended before. */
async function ask(url: string, server: RunningCommand): Promise<string> {
  const ended = server.result.then(({ stderr }) => new Error(`the server ended:\n${stderr}`));
  for (const begin = Date.now(); ;) {
    const answer = await Promise.race([
      fetch(url).then(
        async (response) => await response.text(),
        (error: unknown) => error as Error,
      ),
      ended,
    ]);
    if (typeof answer === "string") return answer.trim();
    if (Date.now() - begin > patienceMs || answer.message.startsWith("the server ended")) throw answer;
    await sleep(100);
  }
}
