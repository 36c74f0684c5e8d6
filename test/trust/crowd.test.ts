/** Sixteen builds at a time in one store, and everything that removes things beside them. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeSandbox } from "../kit/sandbox.ts";
import { auditStore } from "./audit-store.ts";
import { isLong, tell } from "./scale.ts";

// busybox's touch -d keeps the fraction of the present second
const stamp = "touch -r /etc/passwd";
/** Builds that share their first steps, some the same throughout. */
const dockerfile = (kind: number): string =>
  [
    "FROM busybox AS shared",
    `RUN echo shared > /shared && ${stamp} /shared`,
    `RUN --mount=type=cache,target=/c echo ${kind} >> /c/log && echo more > /more && ${stamp} /more`,
    "FROM busybox",
    "COPY --from=shared /shared /more /d/",
    `RUN echo ${kind} > /kind && ${stamp} /kind`,
    "COPY f /f",
  ].join("\n");

const kinds = 8;
const at = 16;

describe("many at once", () => {
  const box = makeSandbox();
  const counts = { "builds held": 0, "removals beside": 0 };
  after(async () => {
    await box.remove();
    tell(counts);
  });

  test(`F4 ${at} builds at a time with prune, rmi, history rm and system df beside all succeed with the right results`, async () => {
    for (let kind = 0; kind < kinds; kind += 1) box.write(`c${kind}`, { Dockerfile: dockerfile(kind), f: `file ${kind}` });
    const expected: string[] = [];
    for (let kind = 0; kind < kinds; kind += 1) {
      await box.succeed(["build", "-q", "--iidfile", `alone-${kind}`, `c${kind}`], { store: "alone" });
      expected.push(readFileSync(box.path(`alone-${kind}`), "utf8"));
    }
    assert.equal(new Set(expected).size, kinds);
    let [next, running] = [0, 0];
    const total = isLong ? 200 : 20;
    const builder = async (): Promise<void> => {
      while (next < total) {
        const number = next;
        next += 1;
        running += 1;
        const kind = number % kinds;
        const some = number % 5 === 0 ? ["--no-cache"] : [];
        const output = number % 3 === 0 ? ["--load", "-o", `type=oci,dest=out-${number}.tar`] : [];
        await box.succeed([
          "build",
          "--progress=plain",
          ...some,
          ...output,
          "-t",
          `crowd/${number}`,
          "--iidfile",
          `id-${number}`,
          `c${kind}`,
        ]);
        running -= 1;
        assert.equal(readFileSync(box.path(`id-${number}`), "utf8"), expected[kind], `build ${number}`);
        counts["builds held"] += 1;
      }
    };
    let over = false;
    const besides = async (): Promise<void> => {
      const commands = [
        ["builder", "prune", "-af"],
        ["system", "df"],
        ["buildx", "prune", "-f", "--keep-storage", "1mb"],
        ["image", "prune", "-af"],
        ["history", "ls"],
        ["buildx", "du"],
      ];
      for (let turn = 0; !over; turn += 1) {
        await box.succeed(commands[turn % commands.length] ?? []);
        counts["removals beside"] += 1;
        for (const name of readdirSync(box.folder)
          .filter((one) => one.startsWith("id-"))
          .slice(0, 1)) {
          const { code, stderr } = await box.varve(["rmi", "-f", `crowd/${name.slice(3)}`]);
          // the image prune may have been faster
          assert.ok(code === 0 || /IMAGE_NOT_FOUND/.test(stderr), stderr);
          const { code: removed, stderr: said } = await box.varve(["history", "rm", "^3"]);
          assert.ok(removed === 0 || /HISTORY_/.test(said), said);
        }
        await sleep(50);
      }
    };
    const beside = besides();
    await Promise.all(Array.from({ length: at }, builder)).finally(() => (over = true));
    await beside;
    assert.equal(running, 0);
    await box.succeed(["builder", "prune", "-af"]);
    assert.deepEqual(auditStore(box.path("store")), []);
    await box.checkLeaks();
    // nothing of the crowd is worse than what a build alone made
    await box.succeed(["build", "-q", "--iidfile", "last", "c3"]);
    assert.equal(readFileSync(box.path("last"), "utf8"), expected[3]);
    assert.ok(existsSync(box.path("store/blobs")));
  });
});
