import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runOrThrow } from "../builders.ts";
import { writeLargeFiles } from "../contexts.ts";
import { hasRegistry, startRegistry, type BenchRegistry } from "../registry.ts";
import type { Bench, Finding, Row, Workload } from "../workload.ts";

/** Something that sends the image that it holds as `tag`, and fetches one. */
interface Mover {
  readonly title: string;
  /** Gives the image the name to push it under; the time of that is not measured. */
  name(tag: string, target: string): Promise<void>;
  push(tag: string, target: string): Promise<void>;
  /** Lets go of what a pull would not fetch again, before one is measured. */
  empty(): Promise<void>;
  pull(source: string): Promise<void>;
  /** Makes the next push possible again, and takes away what only the pull needed. */
  restore(source: string): Promise<void>;
}

const [first, second] = ["varve-bench:registry-1", "varve-bench:registry-2"];
/** Layers of the image: transfers at the same time are a part of what is measured. */
const layers = ["048", "159", "26", "37"];

/** An image of a gigabyte to a registry and from there, and then one that differs in a small file. */
export const registry: Workload = {
  name: "registry",
  async measure(bench) {
    const { runs, folder, size, say } = bench;
    if (!hasRegistry) {
      say("there is no docker-registry");
      return [];
    }
    const movers = prepareMovers(bench);
    const pushes = new Map(movers.map(({ title }) => [title, [] as number[]]));
    const pulls = new Map(movers.map(({ title }) => [title, [] as number[]]));
    const sent: string[] = [];
    for (let run = 0; run < runs(3); run += 1) {
      for (const mover of run % 2 === 0 ? movers : movers.toReversed()) {
        const place = await startRegistry(folder(`registry-${run}-${mover.title.replaceAll(" ", "-")}`));
        try {
          const target = `${place.host}/bench/image:1`;
          await mover.name(first, target);
          pushes.get(mover.title)?.push(await timed(() => mover.push(first, target)));
          if (run === 0) sent.push(`${mover.title} ${await countSecond(mover, place)}`);
          await mover.empty();
          pulls.get(mover.title)?.push(await timed(() => mover.pull(target)));
          await mover.restore(target);
        } finally {
          await place.stop();
        }
      }
    }
    const what = `an image of ${size.imageMb} MB in ${layers.length} layers`;
    const rows: Row[] = [
      { what: `push ${what}`, times: pushes },
      { what: `pull ${what} into an empty store (skopeo unpacks nothing)`, times: pulls },
    ];
    const bytes: Finding = {
      what: `second push of ${what}, one small layer changed`,
      found: sent.join(", "),
      target: "only what is new",
    };
    return [...rows, bytes];
  },
};

/** Both images by way of the address that counts; the bytes are those of the second. */
async function countSecond(mover: Mover, place: BenchRegistry): Promise<string> {
  const targets = [`${place.countedHost}/bench/image:1`, `${place.countedHost}/bench/image:2`] as const;
  await mover.name(first, targets[0]);
  await mover.push(first, targets[0]);
  place.takeBytes();
  await mover.name(second, targets[1]);
  await mover.push(second, targets[1]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  return `${(place.takeBytes() / 1000).toFixed(1)} kB`;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function prepareMovers({ builders, folder, size, say }: Bench): readonly Mover[] {
  const [varve] = builders;
  if (varve === undefined) throw new Error("there is no Varve");
  const { argv, env } = varve.command("");
  const program = argv[0] ?? "";
  const context = folder("registry-context");
  say(`writing a context of ${size.imageMb} MB`);
  writeLargeFiles(context, size.imageMb, process.pid);
  // The files by the last digit of their number, the small one last.
  const parts = layers.map((digits, layer) => `COPY data/part-*[${digits}] /data-${layer}/`);
  writeFileSync(join(context, "Dockerfile"), ["FROM scratch", ...parts, "COPY small /small", ""].join("\n"));
  const archive = (tag: string) => join(context, `${tag.replace(":", "-")}.tar`);
  for (const tag of [first, second]) {
    writeFileSync(join(context, "small"), `${tag} ${Date.now()}\n`);
    writeFileSync(join(context, ".dockerignore"), "*.tar\n");
    runOrThrow([program, "build", "-q", "-t", tag, context], env);
    runOrThrow([program, "save", "-o", archive(tag), tag], env);
  }
  const tools = [createVarveMover(program, env, folder("pull-store"))];
  const { PATH = "", HOME = "/" } = process.env;
  if (spawnSync("skopeo", ["--version"]).error === undefined) {
    const layout = folder("skopeo");
    const copy = ["skopeo", "--insecure-policy", "copy", "-q"];
    for (const tag of [first, second])
      runOrThrow([...copy, `oci-archive:${archive(tag)}`, `oci:${layout}:${tag.split(":")[1] ?? ""}`], { PATH, HOME });
    tools.push({
      title: "skopeo copy",
      name: async () => undefined,
      push: (tag, target) =>
        run([...copy, "--dest-tls-verify=false", `oci:${layout}:${tag.split(":")[1] ?? ""}`, `docker://${target}`], {
          PATH,
          HOME,
        }),
      pull: (source) =>
        run([...copy, "--src-tls-verify=false", `docker://${source}`, `oci:${join(layout, "pulled")}:1`], {
          PATH,
          HOME,
        }),
      empty: async () => undefined,
      restore: async () => rmSync(join(layout, "pulled"), { recursive: true, force: true }),
    });
  }
  if (builders.some(({ name }) => name === "docker build")) {
    for (const tag of [first, second]) runOrThrow(["docker", "load", "-q", "-i", archive(tag)], process.env);
    tools.push(createDockerMover());
  }
  for (const tag of [first, second]) rmSync(archive(tag));
  return tools;
}

function createVarveMover(program: string, env: NodeJS.ProcessEnv, pullStore: string): Mover {
  return {
    title: "Varve",
    name: (tag, target) => run([program, "tag", tag, target], env),
    push: (_tag, target) => run([program, "push", "-q", target], env),
    pull: (source) => run([program, "pull", "-q", source], { ...env, VARVE_ROOT: pullStore }),
    empty: async () => undefined,
    restore: async () => rmSync(pullStore, { recursive: true, force: true }),
  };
}

function createDockerMover(): Mover {
  const names = new Set<string>([first, second]);
  const docker = (...args: readonly string[]) => run(["docker", ...args], process.env);
  return {
    title: "docker",
    async name(tag, target) {
      await docker("tag", tag, target);
      names.add(target);
    },
    push: (_tag, target) => docker("push", "-q", target),
    // The engine has one store: what it pushed goes before it pulls.
    async empty() {
      await docker("rmi", "-f", ...names);
      names.clear();
    },
    pull: (source) => docker("pull", "-q", source),
    async restore(source) {
      await docker("tag", source, first);
      await docker("rmi", source);
      names.add(first);
    },
  };
}

/** Without holding up this process: the bytes are counted in it. */
async function run([program = "", ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} failed:\n${said}`);
}
