import type { BuildEvent, StatusEvent, VertexEvent, WarningEvent } from "../../events/index.ts";
import type { Progress } from "./progress.ts";
import { formatWarning } from "./steps.ts";

/**
 * One JSON object for each event, a line each, in BuildKit's schema (U05; client/graph.go, `SolveStatus`): `vertexes`,
 * `statuses`, `logs` or `warnings`, as Go writes them. One field more: the vertex of a step that ran has `reason`.
 */
export function createRawJsonProgress({ write }: { readonly write: (text: string) => void }): Progress {
  return {
    take: (event) => write(`${formatStatus(event)}\n`),
    tick() {},
    end() {},
  };
}

/** An event as a `SolveStatus`, in one line. */
export function formatStatus(event: BuildEvent): string {
  return escapeForHtml(JSON.stringify(toStatus(event)));
}

function toStatus(event: BuildEvent): object {
  switch (event.type) {
    case "vertex":
      return { vertexes: [toVertex(event)] };
    case "status":
      return { statuses: [toVertexStatus(event)] };
    case "log": {
      const { vertex, stream, data, time } = event;
      return { logs: [{ vertex, stream, data: toBase64(data), timestamp: formatTime(time) }] };
    }
    case "warning":
      return { warnings: [toWarning(event)] };
  }
}

function toVertex({ vertex, inputs, name, started, completed, cached, error, canceled, reason }: VertexEvent): object {
  return {
    digest: vertex,
    ...(inputs.length === 0 ? {} : { inputs }),
    name,
    ...times(started, completed),
    ...(cached === true ? { cached } : {}),
    ...(error === undefined ? {} : { error: canceled === true ? withContextCanceled(error) : error }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** BuildKit knows a canceled step by the end of its error, and so do the readers of its schema. */
function withContextCanceled(error: string): string {
  const end = "context canceled";
  return error.endsWith(end) ? error : error === "" ? end : `${error}: ${end}`;
}

function toVertexStatus({ id, vertex, name, total, current, time, started, completed }: StatusEvent): object {
  const kind = id.startsWith("transferring ") ? "transferring" : name;
  return {
    id,
    vertex,
    ...(kind === "" || kind === id ? {} : { name: kind }),
    ...(total === 0 ? {} : { total }),
    current,
    timestamp: formatTime(time),
    ...times(started, completed),
  };
}

function toWarning(event: WarningEvent): object {
  const { vertex, detail, url, where } = event;
  return {
    ...(vertex === undefined ? {} : { vertex }),
    level: 1,
    short: toBase64(formatWarning(event)),
    ...(detail === undefined ? {} : { detail: [toBase64(detail)] }),
    ...(url === undefined ? {} : { url }),
    ...(where === undefined
      ? {}
      : {
          sourceInfo: {
            filename: where.file,
            ...(where.source === undefined ? {} : { data: toBase64(where.source) }),
            language: "Dockerfile",
          },
          range: [{ start: { line: where.startLine }, end: { line: where.endLine } }],
        }),
  };
}

function times(started: number | undefined, completed: number | undefined): object {
  return {
    ...(started === undefined ? {} : { started: formatTime(started) }),
    ...(completed === undefined ? {} : { completed: formatTime(completed) }),
  };
}

/** Go's RFC3339Nano in UTC: no zeros at the end of the fraction. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.?0*Z$/, "Z");
}

function toBase64(data: Uint8Array | string): string {
  return (typeof data === "string" ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)).toString(
    "base64",
  );
}

/** The characters that Go's encoder writes as escapes, so that JSON can stand in HTML. */
function escapeForHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
