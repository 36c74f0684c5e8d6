/** Every planted edit: a build, the edit, a second build, and what that one says of the steps that it runs. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { openVarve, type BuildOptions, type Varve } from "../../src/engine/index.ts";
import { reasonLine } from "../../src/explain/index.ts";
import { describeOnce } from "../kit/each-way.ts";
import { startGitServer } from "../kit/git-server.ts";
import { edits, type Edit, type State, type World } from "./edits.ts";

describeOnce("planted edits", (box) => {
  const table: string[] = [];
  after(() => console.log(table.join("\n")));

  for (const [number, planted] of edits.entries()) {
    test(`each executed step says why: ${planted.name}`, async () => {
      const told = await play(planted, `w${number}`);
      table.push(
        `| ${planted.name} | ${told.length === 0 ? "nothing runs" : told.map(([step, line]) => `\`${step}\`: ${line}`).join("<br>")} |`,
      );
      assert.deepEqual(told, planted.says);
    });
  }

  /** The steps that the second build ran, with their lines; names of the edit's world are written as in its text. */
  async function play({ before, after: then }: Edit, word: string): Promise<[string, string][]> {
    await using git = await startGitServer();
    const repository = git.create("repo");
    let body = "";
    const http = createServer((_, response) => response.end(body)).listen(0, "127.0.0.1");
    await new Promise((resolve) => http.once("listening", resolve));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/file`;
    const folder = box.write(word, {});
    const fill = (text: string): string =>
      text.replaceAll("@folder", folder).replaceAll("@git", repository.url).replaceAll("@url", url).replaceAll("@", word);
    const unfill = (text: string): string =>
      text
        .replaceAll(repository.url, "@git")
        .replaceAll(url, "@url")
        .replace(/sha256:[0-9a-f]{12,64}/g, "<digest>")
        .replace(/\b[0-9a-f]{12}\b/g, "<commit>")
        .replace(/\d{4}-\d\d-\d\dT[0-9:.]+Z/g, "<time>")
        .replaceAll(word, "@");
    await using varve = openVarve({
      root: box.path("store"),
      configPath: box.path("varve.toml"),
      path: process.env["PATH"] ?? "",
    });
    const world: World = {
      word,
      folder,
      async image(name, dockerfile) {
        const options: BuildOptions = { context: { kind: "empty" }, dockerfile: { text: fill(dockerfile) }, tags: [fill(name)] };
        await varve.build(options);
      },
      serve: (text) => void (body = fill(text)),
      commit(file, content) {
        writeFileSync(join(repository.work, file), fill(content));
        repository.commit();
      },
      prune: async () => void (await varve.store.prune({ all: true, filters: [`description~=${word}`] })),
    };
    try {
      await build(varve, before, before, { world, folder, fill });
      const steps = await build(varve, before, then, { world, folder, fill });
      return steps.map(({ name, line }) => [unfill(name.replace(/^\[[^\]]*\d\/\d+\] /, "")), unfill(line)]);
    } finally {
      http.closeAllConnections();
      http.close();
    }
  }
});

/** The steps that ran, in order. What `then` does not say is as in `first`. */
async function build(
  varve: Varve,
  first: State,
  then: State,
  { world, folder, fill }: { readonly world: World; readonly folder: string; readonly fill: (text: string) => string },
): Promise<{ name: string; line: string }[]> {
  const dockerfile = then.dockerfile;
  const files = { ...then.files, ...(dockerfile === undefined ? {} : { Dockerfile: dockerfile }) };
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (content === null) rmSync(path);
    else if (typeof content === "number") chmodSync(path, content);
    else writeFileSync(path, fill(content), { mode: 0o644 });
  }
  await then.prepare?.(world);
  const options = JSON.parse(fill(JSON.stringify({ ...first.options, ...then.options }))) as Partial<BuildOptions>;
  const run = varve.build({ context: { kind: "folder", path: folder }, outputs: [{ type: "cacheonly" }], ...options });
  if (then.fails) {
    await assert.rejects(run);
    return [];
  }
  const { steps } = await run;
  return steps.flatMap(({ name, reason }) => (reason === undefined ? [] : [{ name, line: reasonLine(reason) }]));
}
