/** `varve compose config` as it is called: its flags, where it writes, and what a mistake looks like. Nothing is started. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { makeSandbox } from "../kit/sandbox.ts";

const box = makeSandbox();
after(async () => await box.remove());

const cwd = box.write("app", {
  "compose.yaml": [
    "name: shop",
    "services:",
    "  web:",
    "    image: web:${TAG:-1}",
    "    depends_on: [store]",
    "    volumes: ['data:/data']",
    "  store:",
    "    build: ./store",
    "    command: run $$HOME",
    "  debug: {image: debug, profiles: [debug]}",
    "volumes: {data: , unused: }",
    "networks: {unused: }",
    "",
  ].join("\n"),
  "more.yaml": "services: {web: {environment: ['MORE=${MORE}']}}\n",
  "wrong.yaml": "services:\n  web:\n    imge: a\n",
});

const config = async (...args: readonly string[]): Promise<string> => {
  const at = args.indexOf("--");
  const [before, flags] = at < 0 ? [[], args] : [args.slice(0, at), args.slice(at + 1)];
  return (await box.succeed(["compose", ...before, "config", ...flags], { cwd })).stdout.toString();
};

test("M27 names of what a project has, one a line", async () => {
  assert.equal(await config("--services"), "store\nweb\n");
  assert.equal(await config("--profile", "debug", "--", "--services"), "debug\nstore\nweb\n");
  assert.equal(await config("--images"), "shop-store\nweb:1\n");
  assert.equal(await config("--volumes"), "data\n");
  assert.equal(await config("--all-resources", "--", "--volumes"), "data\nunused\n");
  assert.equal(await config("--networks"), "default\n");
  assert.equal(await config("--profiles"), "debug\n");
});

test("M27 M44 variables, the environment and hashes", async () => {
  const table = await config("--variables");
  assert.match(table, /^NAME {16}REQUIRED {12}DEFAULT VALUE {7}ALTERNATE VALUE\nTAG {17}false {15}1 {19}\n$/);
  assert.deepEqual(JSON.parse(await config("--variables", "--format", "json")), {
    TAG: { Name: "TAG", DefaultValue: "1", PresenceValue: "", Required: false },
  });
  assert.match(await config("--environment"), /^COMPOSE_PROJECT_NAME=shop$/m);
  const hashes = await config("--hash", "*");
  assert.match(hashes, /^store [0-9a-f]{64}\nweb [0-9a-f]{64}\n$/);
  assert.equal(await config("--hash", "web"), `${hashes.split("\n")[1]}\n`);
});

test("M27 M20 the whole model as YAML and JSON, to a file or not at all", async () => {
  const yaml = await config();
  assert.match(yaml, /^name: shop\nservices:\n {2}store:\n/);
  assert.match(yaml, /\$\$HOME/);
  assert.equal(JSON.parse(await config("--format=json", "web")).services.web.image, "web:1");
  assert.equal(await config("-o", "out.yaml"), "");
  assert.equal(readFileSync(`${cwd}/out.yaml`, "utf8"), yaml);
  assert.equal(await config("-q"), "");
  assert.equal((await box.succeed(["compose", "convert"], { cwd })).stdout.toString(), yaml);
});

test("M20 M44 several files, and a warning for a variable that is not set", async () => {
  const result = await box.succeed(["compose", "-f", "compose.yaml", "-f", "more.yaml", "-p", "other", "config"], { cwd });
  assert.match(result.stdout.toString(), /^name: other\n[^]*MORE: ""/);
  assert.match(
    result.stderr,
    /^time="[^"]+" level=warning msg="The \\"MORE\\" variable is not set\. Defaulting to a blank string\."\n$/,
  );
});

test("M42 a mistake is shown where it stands", async () => {
  const result = await box.varve(["compose", "-f", "wrong.yaml", "config"], { cwd });
  assert.notEqual(result.code, 0);
  assert.match(
    result.stderr,
    /^wrong\.yaml:3\n[^]*>>> {5}imge: a\n[^]*additional properties 'imge' not allowed \(did you mean image\?\) \[COMPOSE_INVALID\]/,
  );
});
