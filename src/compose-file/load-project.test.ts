import assert from "node:assert/strict";
import { test } from "node:test";
import { isVarveError, type VarveError } from "../errors/index.ts";
import {
  configHash,
  listVariables,
  loadProject,
  printProject,
  scaleOf,
  selectServices,
  withoutUnused,
  type LoadOptions,
  type Project,
} from "./index.ts";

type Files = Readonly<Record<string, string>>;

function options(files: Files, rest: Partial<LoadOptions> = {}): LoadOptions {
  return {
    cwd: "/app",
    env: {},
    access: {
      home: "/home/me",
      readFile: async (path) => await Promise.resolve(files[path]),
      kindOf: async (path) => {
        const isFolder = Object.keys(files).some((file) => file.startsWith(`${path}/`));
        return await Promise.resolve(path in files ? "file" : isFolder ? "folder" : undefined);
      },
    },
    ...rest,
  };
}

const load = async (text: string, rest: Partial<LoadOptions> = {}, files: Files = {}): Promise<Project> =>
  await loadProject(options({ "/app/compose.yaml": text, ...files }, rest));

async function failure(text: string, rest: Partial<LoadOptions> = {}, files: Files = {}): Promise<VarveError> {
  try {
    await load(text, rest, files);
  } catch (error) {
    if (isVarveError(error)) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "it loads" });
}

const place = ({ where }: VarveError): string => `${where?.file}:${where?.startLine}:${where?.startColumn}`;

test("M42 an unknown field is refused at its place, with the one that was meant", async () => {
  const error = await failure("services:\n  web:\n    image: a\n    comand: x\n");
  assert.equal(error.code, "COMPOSE_INVALID");
  assert.equal(error.message, "services.web: additional properties 'comand' not allowed (did you mean command?)");
  assert.equal(place(error), "compose.yaml:4:5");
});

test("M42 a value of a wrong kind says which kinds there are", async () => {
  const error = await failure("services:\n  web:\n    image: a\n    ports: 80\n");
  assert.equal(error.message, "services.web.ports: must be a list");
  assert.equal(place(error), "compose.yaml:4:12");
  assert.match(
    (await failure("services: {web: {image: a, command: 5}}")).message,
    /^services\.web\.command: must be nothing, a string or a list$/,
  );
});

test("M42 of several mistakes the first in the text is reported", async () => {
  assert.equal(place(await failure("services:\n  b: {imge: a}\n  a: {image: a, tty: [1]}\n")), "compose.yaml:2:7");
});

test("M42 a mistake in an override file is reported there", async () => {
  const error = await failure(
    "services: {web: {image: a}}",
    {},
    { "/app/compose.override.yaml": "services:\n  web:\n    scale: many\n" },
  );
  assert.equal(place(error), "compose.override.yaml:3:12");
});

test("M42 a version is warned of and has no effect", async () => {
  const project = await load("version: '3'\nservices: {web: {image: a}}");
  assert.deepEqual(
    project.warnings.map(({ message }) => message),
    ["/app/compose.yaml: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion"],
  );
});

test("M44 a variable without a value is warned of once, before an error that comes of it", async () => {
  const heard: string[] = [];
  const error = await failure("services: {web: {image: a, ports: ['${P}', '${P}:80']}}", {
    onWarning: ({ message }) => heard.push(message),
  });
  assert.deepEqual(heard, ['The "P" variable is not set. Defaulting to a blank string.']);
  assert.match(error.message, /^services\.web\.ports\[0\]: invalid port ""/);
});

test("M44 a required variable says where it is required", async () => {
  const error = await failure("services:\n  web:\n    image: a:${TAG:?which one}\n");
  assert.equal(error.code, "COMPOSE_INTERPOLATION");
  assert.equal(error.message, "services.web.image: required variable TAG is missing a value: which one");
  assert.equal(place(error), "compose.yaml:3:12");
});

test("M44 M27 the variables of a project are listed with what stands for them", async () => {
  const found = await listVariables(
    options({ "/app/compose.yaml": "services: {web: {image: 'a:${TAG:-1}', command: ['${A:?x}', '${B:+${C}}']}}" }),
  );
  assert.deepEqual(found, [
    { name: "A", isRequired: true, defaultValue: "", alternateValue: "" },
    { name: "B", isRequired: false, defaultValue: "", alternateValue: "${C}" },
    { name: "C", isRequired: false, defaultValue: "", alternateValue: "" },
    { name: "TAG", isRequired: false, defaultValue: "1", alternateValue: "" },
  ]);
});

test("M27 without interpolation variables stay, whatever the field holds", async () => {
  const project = await load(
    "services: {web: {image: '${I}', command: 'a ${B}', scale: '${N}', ports: ['${P}:80'], mem_limit: '${M}', tty: '${T}'}}",
    { interpolate: false },
  );
  const printed = printProject(project, { format: "yaml", escapeDollars: false });
  for (const line of ["image: ${I}", "command: a ${B}", "scale: ${N}", "- ${P}:80", "mem_limit: ${M}", "tty: ${T}"])
    assert.ok(printed.includes(line), line);
});

test("M27 paths, the environment and what is implied can be left alone", async () => {
  const text = "services: {web: {image: a, volumes: ['./x:/x'], env_file: e.env, environment: [A]}}";
  const project = await load(text, { resolvePaths: false, normalize: false, resolveEnvironment: false });
  const web = project.services["web"];
  assert.equal(web?.volumes?.[0]?.source, "./x");
  assert.equal(web.networks, undefined);
  assert.deepEqual(web.env_file, [{ path: "e.env", required: true }]);
});

test("M40 the nearest folder upward that has a Compose file is the project's", async () => {
  const project = await loadProject(options({ "/app/compose.yml": "services: {web: {build: x}}" }, { cwd: "/app/deep/down" }));
  assert.equal(project.workingDir, "/app");
  assert.deepEqual(project.composeFiles, ["/app/compose.yml"]);
  assert.equal(project.services["web"]?.build?.context, "/app/x");
});

test("M40 two files in one folder: the first in order, with a warning", async () => {
  const project = await load("services: {web: {image: a}}", {}, { "/app/docker-compose.yml": "services: {}" });
  assert.match(
    project.warnings[0]?.message ?? "",
    /^Found multiple config files with supported names: \/app\/compose\.yaml, \/app\/docker-compose\.yml$/,
  );
});

test("M40 no file says which names were looked for", async () => {
  await assert.rejects(loadProject(options({})), {
    code: "COMPOSE_NOT_FOUND",
    message: "no configuration file provided: not found",
  });
  await assert.rejects(loadProject(options({}, { files: ["nope.yaml"] })), {
    code: "COMPOSE_NOT_FOUND",
    message: /\/app\/nope\.yaml/,
  });
});

test("M40 a file from stdin is read once, and its folder is the caller's", async () => {
  let reads = 0;
  const base = options({});
  const readStdin = async (): Promise<string> => {
    reads += 1;
    return await Promise.resolve("name: piped\nservices: {web: {build: .}}");
  };
  const project = await loadProject({ ...base, files: ["-"], access: { ...base.access, readStdin } });
  assert.equal(project.name, "piped");
  assert.equal(project.services["web"]?.build?.context, "/app");
  assert.equal(reads, 1);
});

test("M41 a folder without a letter gives no name", async () => {
  await assert.rejects(loadProject(options({ "/---/compose.yaml": "services: {web: {image: a}}" }, { cwd: "/---" })), {
    code: "COMPOSE_PROJECT_NAME",
  });
});

test("M45 includes and M46 extends in a circle say the way", async () => {
  const include = await failure(
    "include: [b.yaml]\nservices: {web: {image: a}}",
    {},
    { "/app/b.yaml": "include: [compose.yaml]\nservices: {b: {image: b}}" },
  );
  assert.equal(include.code, "COMPOSE_CYCLE");
  const extended = await failure(
    "services:\n  a: {image: x, extends: b}\n  b: {image: x, extends: c}\n  c: {image: x, extends: a}\n",
  );
  assert.equal(extended.message, "Circular reference with extends: a extends b extends c extends a");
});

test("M45 M46 files elsewhere than on this machine are refused by name", async () => {
  assert.equal((await failure("include: ['oci://example.org/x']\nservices: {a: {image: a}}")).code, "COMPOSE_UNSUPPORTED");
  assert.equal(
    (await failure("services: {a: {image: a, extends: {service: b, file: 'https://example.org/x'}}}")).code,
    "COMPOSE_UNSUPPORTED",
  );
});

test("M46 a base that is not there is named, with the nearest", async () => {
  const error = await failure("services: {base: {image: a}, web: {extends: bse}}");
  assert.match(error.message, /service "bse" not found \(did you mean base\?\)$/);
});

test("M48 names that lead nowhere are reported where they stand", async () => {
  const error = await failure("services:\n  web:\n    image: a\n    networks: [frnt]\nnetworks: {front: }\n");
  assert.equal(error.code, "COMPOSE_INCONSISTENT");
  assert.equal(error.message, 'service "web" refers to undefined network frnt (did you mean front?)');
  assert.equal(place(error), "compose.yaml:4:16");
});

test("M64 services that need each other are a circle", async () => {
  const error = await failure(
    "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [c]}, c: {image: x, depends_on: [a]}}",
  );
  assert.equal(error.message, "dependency cycle detected: a -> b -> c -> a");
});

test("M05 M74 what is newer than the published schema is read too", async () => {
  const project = await load(
    "services: {web: {image: a, build: {context: ., no_cache_filter: x}, pre_start: [{command: a b}, {image: b, per_replica: true}]}}",
  );
  const web = project.services["web"];
  assert.deepEqual(web?.build?.no_cache_filter, ["x"]);
  assert.deepEqual(web.pre_start, [
    { command: ["a", "b"], image: "a" },
    { image: "b", per_replica: true },
  ]);
});

test("M61 what no shell reads is said to be left out", async () => {
  const project = await load("services: {web: {image: a, command: echo a && echo b}}");
  assert.deepEqual(project.services["web"]?.command, ["echo", "a"]);
  assert.match(project.warnings[0]?.message ?? "", /no shell reads this, and "&& echo b" is left out/);
});

test("M66 an option of a mount that there is not is refused", async () => {
  assert.match(
    (await failure("services: {web: {image: a, volumes: ['./a:/b:fast']}}")).message,
    /"fast" is no option of a mount/,
  );
});

test("M65 M66 M70 M72 the model has numbers in their units", async () => {
  const project = await load(
    "services: {web: {image: a, mem_limit: 1g, stop_grace_period: 1m, healthcheck: {test: x, interval: 1500us}, secrets: [{source: s, mode: 0440}], volumes: [{type: tmpfs, target: /t, tmpfs: {size: 1k}}]}}\nsecrets: {s: {file: s}}",
  );
  const web = project.services["web"];
  assert.equal(web?.mem_limit, 2 ** 30);
  assert.equal(web.stop_grace_period, 60_000);
  assert.equal(web.healthcheck?.interval, 1.5);
  assert.deepEqual(web.secrets, [{ source: "s", target: "/run/secrets/s", mode: 0o440 }]);
  assert.equal(web.volumes?.[0]?.tmpfs?.size, 1024);
});

test("M71 how many containers a service has", async () => {
  const project = await load("services: {a: {image: x}, b: {image: x, scale: 0}, c: {image: x, deploy: {replicas: 3}}}");
  assert.deepEqual(Object.values(project.services).map(scaleOf), [1, 0, 3]);
});

test("M47 a selection has what it depends on, unless that is not wanted", async () => {
  const project = await load("services: {a: {image: x, depends_on: [b]}, b: {image: x}, c: {image: x, profiles: [p]}}");
  assert.deepEqual(Object.keys(selectServices(project, ["a"]).services), ["a", "b"]);
  assert.deepEqual(Object.keys(selectServices(project, ["a"], { dependencies: false }).services), ["a"]);
  assert.deepEqual(Object.keys(selectServices(project, ["c"]).services), ["c"]);
  assert.throws(() => selectServices(project, ["d"]), { code: "COMPOSE_SERVICE_UNKNOWN" });
});

test("M48 what no service uses can be left out", async () => {
  const project = await load("services: {a: {image: x, volumes: ['used:/v']}}\nvolumes: {used: , unused: }");
  assert.deepEqual(Object.keys(project.volumes), ["unused", "used"]);
  assert.deepEqual(Object.keys(withoutUnused(project).volumes), ["used"]);
});

test("M81 the hash is Docker Compose's, and changes with what a container is made of only", async () => {
  const hashOf = async (fields: string): Promise<string> =>
    configHash((await load(`services: {a: {image: a${fields}}}`)).services["a"]!);
  // As `docker compose config --hash` 2.40 prints it
  assert.equal(await hashOf(""), "ead32641ace023dfb5148a9f4e8937d023a3b7fcc8af8f3e47f76229311a2be6");
  assert.equal(await hashOf(", scale: 3, pull_policy: always, profiles: []"), await hashOf(""));
  assert.equal(await hashOf(", build: ., deploy: {replicas: 2}"), await hashOf(", deploy: {replicas: 5}"));
  assert.notEqual(await hashOf(""), await hashOf(", tty: true"));
});

test("M27 a printed project is a Compose file of the same meaning", async () => {
  const project = await load(
    "services: {web: {image: a, command: [\"a\\n b\", '$$x', '1', ' '], environment: {A: 'x: y', B: }, ports: ['80-81:80-81']}}\nx-a: {b: [1, null]}",
  );
  const printed = printProject(project, { format: "yaml" });
  const again = await load(printed, { projectName: project.name });
  assert.equal(printProject(again, { format: "yaml" }), printed);
  assert.deepEqual(again.services, project.services);
});
