/**
 * The typed events of a build: one stream that plain, tty, rawjson, quiet and web progress read. Nothing here prints.
 */
export type { BuildEvent, EventSink, VertexEvent, StatusEvent, LogEvent, WarningEvent } from "./events.ts";
export type * from "./reason.ts";
