import type { Observed } from "../../compose/index.ts";

/** What the ends of containers mean for the whole project. */
export interface AttachOutcome {
  exited(container: Observed, exitCode: number): void;
  /** Resolves when a container's end is to end all. */
  readonly aborted: Promise<void>;
  isAborted(): boolean;
  exitCode(): number;
}

export interface OutcomeFlags {
  readonly "abort-on-container-exit": boolean | undefined;
  readonly "abort-on-container-failure": boolean | undefined;
  readonly "exit-code-from": string | undefined;
}

/** By `--abort-on-container-exit` and its relatives. (docker docs, "docker compose up") */
export function createOutcome(flags: OutcomeFlags): AttachOutcome {
  const from = flags["exit-code-from"];
  let first: number | undefined;
  let ofService: number | undefined;
  let isAborted = false;
  let abort = (): void => undefined;
  const promise = new Promise<void>((resolve) => void (abort = resolve));
  return {
    exited({ service }, exitCode) {
      const aborts =
        from !== undefined ||
        flags["abort-on-container-exit"] === true ||
        (flags["abort-on-container-failure"] === true && exitCode !== 0);
      if (service === from) ofService ??= exitCode;
      if (!aborts) return;
      first ??= exitCode;
      isAborted = true;
      abort();
    },
    aborted: promise,
    isAborted: () => isAborted,
    exitCode: () => (from === undefined ? (first ?? 0) : (ofService ?? 0)),
  };
}
