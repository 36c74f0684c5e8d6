import { hash } from "node:crypto";
import { waitForAll } from "../flow/index.ts";
import type { CacheMap, CacheStore, Dependency, KeyFacts, RunCause, SolvedVertex, SolverEvent, SolverVertex } from "./types.ts";

export interface SolveOptions<R> {
  readonly vertices: ReadonlyMap<string, SolverVertex<R>>;
  readonly cache: CacheStore<R>;
  readonly onEvent: (event: SolverEvent) => void;
  readonly signal: AbortSignal;
  /** Told of every key that gets known: those of a vertex's inputs before its own. */
  readonly onKey?: (facts: KeyFacts) => void;
  /** Asked before a vertex runs, when the keys of all that it is made from are known: what it throws is the vertex's failure. */
  readonly beforeRun?: (vertex: string, cause: RunCause) => void;
  /**
   * Asked as soon as it is certain that a vertex runs, before what it is made from does: what it throws is the vertex's failure. Not every
   * vertex that runs is known before.
   */
  readonly beforeInputs?: (vertex: string, cause: RunCause) => void;
  /** Told, when the targets are made, of every vertex that they were made from and of themselves: inputs first. */
  readonly onSolved?: (vertices: readonly SolvedVertex[]) => void;
  /** The time, in milliseconds since 1970. */
  readonly now?: () => number;
}

interface Outcome<R> {
  readonly outputs: readonly (R | undefined)[];
}

/** One output of one vertex. */
export interface SolveTarget {
  readonly id: string;
  readonly index: number;
}

/**
 * Makes outputs of vertices, running only what must run: keys are computed from the results downwards, and a vertex
 * whose result is in the cache asks nothing of its inputs. Independent vertices run at the same time, each at most once,
 * also when two of them turn out to have the same key. Gives the results in the order of the targets.
 *
 * The first failure stops everything else; the promise settles when all of it has stopped. It rejects with that first
 * failure, or with the signal's reason.
 */
export async function solve<R>(targets: readonly SolveTarget[], options: SolveOptions<R>): Promise<(R | undefined)[]> {
  const { vertices, cache, onEvent } = options;
  const now = options.now ?? Date.now;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const keys = new Map<string, Promise<string>>();
  const maps = new Map<string, Promise<CacheMap<R>>>();
  const outcomes = new Map<string, Promise<Outcome<R>>>();
  const headStarts = new Map<string, Promise<void>>();
  const forced = new Map<string, Promise<boolean>>();
  const settled = new Map<string, Promise<boolean>>();
  const running = new Map<string, Promise<Outcome<R>>>();
  const reported = new Set<string>();
  const started = new Set<string>();
  const fastKeys = new Map<string, string>();
  /** Vertices whose key an earlier build found out. */
  const linkedKeys = new Set<string>();
  /** Digests of what was read of the inputs, where this solve read them. */
  const readContents = new Map<string, readonly (readonly string[])[]>();
  /** Keys of what was made in this solve, where they are not those that were expected. */
  const movedKeys = new Map<string, string>();
  const pending = new Set<Promise<unknown>>();
  let failure: { readonly error: unknown } | undefined;

  /** Runs `make` once for a vertex; the first failure of anything is kept and ends the rest. */
  function once<T>(memory: Map<string, Promise<T>>, id: string, make: () => Promise<T>): Promise<T> {
    let promise = memory.get(id);
    if (promise) return promise;
    promise = make().catch((error: unknown) => {
      failure ??= { error };
      stop.abort(error);
      throw error;
    });
    memory.set(id, promise);
    const settled: Promise<unknown> = promise.then(
      () => pending.delete(settled),
      () => pending.delete(settled),
    );
    pending.add(settled);
    return promise;
  }

  const vertexOf = (id: string): SolverVertex<R> => {
    const vertex = vertices.get(id);
    if (!vertex) throw new TypeError(`no vertex ${id}`);
    return vertex;
  };

  const cacheMapOf = (id: string) => once(maps, id, async () => vertexOf(id).op.cacheMap(signal));

  const keyOf = (id: string): Promise<string> => once(keys, id, async () => computeKey(vertexOf(id)));

  /**
   * Whether a vertex must run although a record of it may exist: `--no-cache` names it, or something that it depends on
   * as a whole will run again. Where only content is read of an input, that content decides instead.
   */
  const mustRun = (id: string): Promise<boolean> =>
    once(forced, id, async () => {
      const vertex = vertexOf(id);
      if (vertex.ignoreCache) return true;
      return (await waitForAll((await wholeInputs(vertex)).map((input) => mustRun(input.id)))).includes(true);
    });

  /** The inputs that a vertex depends on as a whole, not by what it reads of them. */
  async function wholeInputs(vertex: SolverVertex<R>): Promise<SolverVertex<R>["inputs"]> {
    const { dependencies } = await cacheMapOf(vertex.id);
    return vertex.inputs.filter((_, index) => !dependencies[index]?.content);
  }

  async function computeKey(vertex: SolverVertex<R>): Promise<string> {
    const map = await cacheMapOf(vertex.id);
    const tell = (key: string, contents: KeyFacts["contents"] = []): string => {
      const whole = map.dependencies.map(({ content }) => content === undefined);
      const stands = map.stands === undefined ? {} : { stands: map.stands };
      options.onKey?.({ vertex: vertex.id, key, op: map.digest, contents, whole, ...stands });
      return key;
    };
    startUnknownInputs(vertex, map);
    const inputKeys = await waitForAll(vertex.inputs.map(async (input) => `${await keyOf(input.id)}/${input.index}`));
    const parts = map.dependencies.map(({ selector }, index) => [selector, inputKeys[index] ?? ""]);
    if (!map.dependencies.some(({ content }) => content)) return tell(digest("key", map.digest, parts));

    const stable = !(await waitForAll(vertex.inputs.map((input) => isUnstable(input.id)))).includes(true);
    const fastKey = digest("fast", map.digest, parts);
    fastKeys.set(vertex.id, fastKey);
    const linked = stable ? await cache.link(fastKey) : undefined;
    if (linked !== undefined) {
      linkedKeys.add(vertex.id);
      return tell(linked);
    }

    const contents = await readInputs(vertex, map, inputKeys);
    readContents.set(vertex.id, contents);
    const key = digest("key", map.digest, contents);
    cache.saveLink(fastKey, key, await waitForAll(vertex.inputs.map((input) => keyOf(input.id))));
    return tell(
      key,
      contents.map(([how, content]) => (how === "content" ? content : undefined)),
    );
  }

  /** For each input what the key is made of: the digest of what is read, or the selector and the input's own key. */
  async function readInputs(vertex: SolverVertex<R>, map: CacheMap<R>, inputKeys: readonly string[]): Promise<string[][]> {
    return await waitForAll(
      map.dependencies.map(async ({ selector, content }, index) => {
        if (!content) return [selector, inputKeys[index] ?? ""];
        return ["content", await readContent(vertex, content, await inputOf(vertex, index))];
      }),
    );
  }

  /**
   * The key of what a vertex makes of the inputs that this solve has. It differs from the expected key where that came from
   * an earlier build whose results are gone, and an input was made anew with other content: what is made now must not be
   * stored as what that build made, nor what is made from it in turn.
   */
  async function keyOfInputs(vertex: SolverVertex<R>, expected: string): Promise<string> {
    const isMoved = vertex.inputs.some(({ id }) => movedKeys.has(id));
    if (!isMoved && !linkedKeys.has(vertex.id)) return expected;
    const map = await cacheMapOf(vertex.id);
    const inputKeys = await waitForAll(vertex.inputs.map(async ({ id, index }) => `${await madeKeyOf(id)}/${index}`));
    const known = readContents.get(vertex.id);
    const contents = known
      ? known.map((part, index) => (part[0] === "content" ? part : [part[0], inputKeys[index] ?? ""]))
      : await readInputs(vertex, map, inputKeys);
    const key = digest("key", map.digest, contents);
    if (key === expected) return expected;
    movedKeys.set(vertex.id, key);
    if (map.dependencies.some(({ content }) => content)) {
      const parts = map.dependencies.map(({ selector }, index) => [selector, inputKeys[index] ?? ""]);
      cache.saveLink(digest("fast", map.digest, parts), key, await waitForAll(vertex.inputs.map(({ id }) => madeKeyOf(id))));
    }
    return key;
  }

  /** The key that a vertex's result is stored under. */
  const madeKeyOf = async (id: string): Promise<string> => movedKeys.get(id) ?? (await keyOf(id));

  /** What cannot be read (a COPY of a missing file) is the failure of the step that reads it, though the step never ran. */
  async function readContent(vertex: SolverVertex<R>, content: NonNullable<Dependency<R>["content"]>, input: R): Promise<string> {
    try {
      return await content(input, signal);
    } catch (error) {
      const time = now();
      reported.add(vertex.id);
      onEvent({ type: "started", vertex: vertex.id, time });
      onEvent({ type: "failed", vertex: vertex.id, time, error, canceled: signal.aborted });
      throw error;
    }
  }

  /**
   * An input that was never made before must be made now, whatever the other inputs turn out to be: one that is read by
   * content for its content, and one that is used as a whole because nothing can have been made from it. Without this head
   * start the stages that a row of COPYs reads from would run one after the other, and the stage that copies after them.
   */
  function startUnknownInputs(vertex: SolverVertex<R>, map: CacheMap<R>): void {
    if (!map.dependencies.some(({ content }) => content)) return;
    for (const { id } of vertex.inputs) {
      void once(headStarts, id, async () => {
        if (!(await cache.knows(await keyOf(id))) || (await mustRun(id))) await outcomeOf(id);
      });
    }
  }

  /** Whether what an earlier build found in this input says nothing about what is in it now. */
  async function isUnstable(id: string): Promise<boolean> {
    return ((await cacheMapOf(id)).volatile ?? false) || (await mustRun(id));
  }

  async function inputOf(vertex: SolverVertex<R>, index: number): Promise<R> {
    const input = vertex.inputs[index];
    if (!input) throw new TypeError(`${vertex.name}: no input ${index}`);
    const { outputs } = await outcomeOf(input.id);
    const result = outputs[input.index];
    if (result === undefined) throw new TypeError(`${vertex.name}: input ${index} has no output ${input.index}`);
    return result;
  }

  const outcomeOf = (id: string): Promise<Outcome<R>> =>
    once(outcomes, id, async () => {
      const vertex = vertexOf(id);
      const expected = await keyOf(id);
      signal.throwIfAborted();
      const cached = await fromCache(vertex, expected);
      if (cached) return cached;
      if (options.beforeInputs !== undefined && ((await mustRun(id)) || (await isSettled(id)))) {
        const cause = await causeOf(vertex);
        askFor(vertex, () => options.beforeInputs?.(id, cause));
      }
      const inputs = await waitForAll(vertex.inputs.map((_, index) => inputOf(vertex, index)));
      const key = await keyOfInputs(vertex, expected);
      const found = key === expected ? undefined : await fromCache(vertex, key);
      if (found) return found;
      const twin = running.get(key);
      if (twin) {
        const outcome = await twin;
        reportCached(vertex);
        return outcome;
      }
      const promise = run(vertex, key, inputs);
      running.set(key, promise);
      return promise;
    });

  /** Whether a vertex that is not cached has the key that it will be stored under, however what it is made from turns out. */
  const isSettled = (id: string): Promise<boolean> =>
    once(settled, id, async () => {
      if (linkedKeys.has(id)) return false;
      const below = vertexOf(id).inputs.map(async (input) => {
        const key = await keyOf(input.id);
        return (!(await mustRun(input.id)) && cache.peek(key) !== undefined) || (await isSettled(input.id));
      });
      return !(await waitForAll(below)).includes(false);
    });

  async function causeOf(vertex: SolverVertex<R>): Promise<RunCause> {
    return vertex.ignoreCache ? "ignored" : (await mustRun(vertex.id)) ? "forced" : "missing";
  }

  /** What a question to the caller throws is the vertex's failure. */
  function askFor(vertex: SolverVertex<R>, ask: () => void): void {
    try {
      ask();
    } catch (error) {
      reported.add(vertex.id);
      onEvent({ type: "failed", vertex: vertex.id, time: now(), error, canceled: signal.aborted });
      throw error;
    }
  }

  async function fromCache(vertex: SolverVertex<R>, key: string): Promise<Outcome<R> | undefined> {
    if (await mustRun(vertex.id)) return undefined;
    const outputs = await cache.load(key, { signal, vertex, onFetch: () => reportStarted(vertex.id) });
    signal.throwIfAborted();
    if (!outputs) return undefined;
    reportCached(vertex);
    return { outputs };
  }

  async function run(vertex: SolverVertex<R>, key: string, inputs: readonly R[]): Promise<Outcome<R>> {
    signal.throwIfAborted();
    reported.add(vertex.id);
    const cause = await causeOf(vertex);
    try {
      options.beforeRun?.(vertex.id, cause);
      reportStarted(vertex.id);
      const outputs = await keep(vertex, key, await vertex.op.exec(inputs, { signal, vertex: vertex.id }));
      onEvent({ type: "completed", vertex: vertex.id, time: now(), cached: false });
      return { outputs };
    } catch (error) {
      onEvent({ type: "failed", vertex: vertex.id, time: now(), error, canceled: signal.aborted });
      throw error;
    }
  }

  /**
   * Stores what a vertex made. Where another solve stored the same meanwhile, its result is taken: two solves that run at
   * once then go on from one result, and neither forgets what the other made from it.
   */
  async function keep(vertex: SolverVertex<R>, key: string, made: Outcome<R>["outputs"]): Promise<Outcome<R>["outputs"]> {
    const inputKeys = await waitForAll((await wholeInputs(vertex)).map((input) => madeKeyOf(input.id)));
    const record = { key, inputKeys, outputs: made, vertex };
    if (!(await mustRun(vertex.id))) return cache.keep(record);
    cache.save(record);
    return made;
  }

  /** A result from the cache stands for the chain below it: inputs that nothing else asks for are reported as cached too. */
  function reportCached(vertex: SolverVertex<R>): void {
    if (reported.has(vertex.id)) return;
    reported.add(vertex.id);
    for (const input of vertex.inputs) if (!outcomes.has(input.id)) reportCached(vertexOf(input.id));
    const time = now();
    reportStarted(vertex.id, time);
    onEvent({ type: "completed", vertex: vertex.id, time, cached: true });
  }

  /** Once for a vertex: one whose fetched result is of no use runs after all. */
  function reportStarted(id: string, time = now()): void {
    if (started.has(id)) return;
    started.add(id);
    onEvent({ type: "started", vertex: id, time });
  }

  /** All that a vertex was made from, and the vertex, inputs first. Their keys are known: the vertex's is made of them. */
  async function solvedVertices(id: string, seen: Set<string>): Promise<SolvedVertex[]> {
    if (seen.has(id)) return [];
    seen.add(id);
    const vertex = vertexOf(id);
    const below: SolvedVertex[] = [];
    for (const input of vertex.inputs) below.push(...(await solvedVertices(input.id, seen)));
    const isVolatile = async (each: string): Promise<boolean> => (await cacheMapOf(each)).volatile ?? false;
    const fastKey = (await waitForAll(vertex.inputs.map((input) => isVolatile(input.id)))).includes(true)
      ? undefined
      : fastKeys.get(id);
    const solved = {
      id,
      name: vertex.name,
      key: await madeKeyOf(id),
      inputKeys: await waitForAll(vertex.inputs.map((input) => madeKeyOf(input.id))),
      wholeInputKeys: await waitForAll((await wholeInputs(vertex)).map((input) => madeKeyOf(input.id))),
      volatile: await isVolatile(id),
      ...(fastKey === undefined ? {} : { fastKey }),
    };
    return [...below, solved];
  }

  try {
    const made = await waitForAll(targets.map(async ({ id, index }) => (await outcomeOf(id)).outputs[index]));
    if (options.onSolved) {
      const seen = new Set<string>();
      const solved: SolvedVertex[] = [];
      for (const { id } of targets) solved.push(...(await solvedVertices(id, seen)));
      options.onSolved(solved);
    }
    return made;
  } catch (error) {
    stop.abort(error);
    while (pending.size > 0) await Promise.all(pending);
    options.signal.throwIfAborted();
    throw failure ? failure.error : error;
  }
}

/** A key: SHA-256 of the parts as JSON, which keeps their borders. */
function digest(...parts: readonly unknown[]): string {
  return hash("sha256", JSON.stringify(parts));
}
