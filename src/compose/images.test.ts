import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { VarveError } from "../errors/index.ts";
import type { ProjectContext } from "./context.ts";
import { makeImages } from "./images.ts";
import { projectOf } from "./project-fixture.test.ts";

/** A store without images and a registry without answers; what is asked of it takes a while. */
function contextOf(services: Parameters<typeof projectOf>[0], pulls: string[]): ProjectContext {
  const images = {
    inspect: () => Promise.reject(new VarveError("IMAGE_NOT_FOUND", "No such image")),
    async pull(name: string) {
      pulls.push(name);
      await sleep(name === "quick" ? 0 : 20);
      throw new VarveError("REGISTRY_UNREACHABLE", `no ${name}`);
    },
  };
  const parts = { engine: { images }, project: projectOf(services), report: () => undefined, build: () => Promise.resolve() };
  return parts as unknown as ProjectContext;
}

test("M22 a pull that fails while another one is waited for is told in the end, and ends nothing before", async () => {
  const pulls: string[] = [];
  const context = contextOf(
    { a: { image: "quick" }, b: { image: "slow", build: { context: "." }, pull_policy: "missing" } },
    pulls,
  );
  await assert.rejects(makeImages(context, Object.values(context.project.services)), { message: "no quick" });
  assert.deepEqual(pulls, ["quick", "slow"]);
});

test("M22 where an image is missing that nothing brings, nothing is pulled", async () => {
  const pulls: string[] = [];
  const context = contextOf({ a: { image: "quick" }, b: { image: "other", pull_policy: "never" } }, pulls);
  await assert.rejects(makeImages(context, Object.values(context.project.services)), { message: "No such image: other" });
  assert.deepEqual(pulls, []);
});
