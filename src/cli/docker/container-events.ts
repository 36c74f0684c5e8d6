import type { Container } from "../../containers/index.ts";

/** Something that happened to a container, as `docker events` tells it. */
export interface ContainerEvent {
  readonly status: string;
  readonly id: string;
  readonly from: string;
  readonly Type: "container";
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: ReadonlyMap<string, string> };
  readonly scope: "local";
  /** Seconds since 1970. */
  readonly time: number;
  readonly timeNano: number;
}

/** What happened between two looks at the containers of a store. Of what began and ended in between, both is told. */
export function compareContainers(
  before: ReadonlyMap<string, Container>,
  after: ReadonlyMap<string, Container>,
  nowMs: number,
): readonly ContainerEvent[] {
  const found: ContainerEvent[] = [];
  for (const container of after.values()) {
    const last = before.get(container.id);
    const tell = (action: string, timeMs: number | undefined, more: Readonly<Record<string, string>> = {}): void =>
      void found.push(makeEvent(container, action, timeMs ?? nowMs, more));
    const { state } = container;
    if (last === undefined) tell("create", container.createdMs);
    const hasStarted = state.startedMs !== undefined && state.startedMs !== last?.state.startedMs;
    const hasEnded = state.finishedMs !== undefined && state.finishedMs !== last?.state.finishedMs;
    const end = (): void => tell("die", state.finishedMs, { exitCode: String(state.exitCode) });
    const restarted = hasStarted && hasEnded && (state.finishedMs ?? 0) < (state.startedMs ?? 0);
    if (restarted) end();
    if (hasStarted) tell("start", state.startedMs);
    if (hasEnded && !restarted) end();
    if (state.status === "paused" && last?.state.status !== "paused") tell("pause", nowMs);
    if (state.status === "running" && last?.state.status === "paused" && !hasStarted) tell("unpause", nowMs);
    if (last !== undefined && last.name !== container.name) tell("rename", nowMs, { oldName: `/${last.name}` });
    const health = state.health?.status;
    if (health !== undefined && health !== last?.state.health?.status) tell(`health_status: ${health}`, nowMs);
  }
  for (const container of before.values()) {
    if (after.has(container.id)) continue;
    if (container.state.pid !== undefined) found.push(makeEvent(container, "die", nowMs, {}));
    found.push(makeEvent(container, "destroy", nowMs, {}));
  }
  return found.toSorted((left, right) => left.timeNano - right.timeNano);
}

function makeEvent(
  { id, name, config }: Container,
  action: string,
  timeMs: number,
  more: Readonly<Record<string, string>>,
): ContainerEvent {
  const time = Math.floor(timeMs);
  return {
    status: action,
    id,
    from: config.image,
    Type: "container",
    Action: action,
    Actor: { ID: id, Attributes: new Map(Object.entries({ ...config.labels, ...more, image: config.image, name })) },
    scope: "local",
    time: Math.floor(time / 1000),
    timeNano: time * 1_000_000,
  };
}
