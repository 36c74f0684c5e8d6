/**
 * What happens in a build, in order. Times are milliseconds since 1970. `vertex` is the digest of the LLB op; steps
 * that are no op (loading the Dockerfile, exporting) have a digest of their own made from their name.
 */
export type BuildEvent = VertexEvent | StatusEvent | LogEvent | WarningEvent;

/** A step was announced, started or ended. The same vertex is reported several times; fields accumulate. */
export interface VertexEvent {
  readonly type: "vertex";
  readonly time: number;
  readonly vertex: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly started?: number;
  readonly completed?: number;
  readonly cached?: boolean;
  /** One line; set when the step failed. Canceled steps have `canceled: true` as well. */
  readonly error?: string;
  readonly canceled?: boolean;
  /**
   * Why the step ran; only of steps of the Dockerfile that were not cached. There when the step starts, or in an event soon
   * after, where lists of files have to be compared; always in the one that completes it.
   */
  readonly reason?: import("./reason.ts").StepReason;
}

/** Progress of a part of a step: a transfer, an extraction. */
export interface StatusEvent {
  readonly type: "status";
  readonly time: number;
  readonly vertex: string;
  /** Unique within the vertex. */
  readonly id: string;
  readonly name: string;
  readonly current: number;
  /** 0 when unknown. In bytes, unless both are 0. */
  readonly total: number;
  readonly started?: number;
  readonly completed?: number;
}

/** Output of a command. `stream` is 1 for stdout, 2 for stderr. */
export interface LogEvent {
  readonly type: "log";
  readonly time: number;
  readonly vertex: string;
  readonly stream: 1 | 2;
  readonly data: Uint8Array;
}

/** Something legal but doubtful: a lint rule that fired, a fallback that was taken. */
export interface WarningEvent {
  readonly type: "warning";
  readonly time: number;
  readonly vertex?: string;
  readonly rule: string;
  readonly message: string;
  readonly detail?: string;
  readonly url?: string;
  readonly where?: import("../errors/index.ts").SourceRange;
}

/** Takes events as they happen. Never throws, never waits. */
export type EventSink = (event: BuildEvent) => void;
