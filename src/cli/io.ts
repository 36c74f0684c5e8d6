/** What a command gets of the process around it. `main.ts` makes the real one, tests make their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths of the command line start from. */
  readonly cwd: string;
  /** Numeric user, undefined where the system has none. */
  readonly uid: number | undefined;
  readonly stdin: InputStream;
  /** Results only: an image ID, a table, an archive. */
  readonly stdout: OutputStream;
  /** Progress and errors. */
  readonly stderr: OutputStream;
  /** Aborted by SIGINT, SIGTERM and a reader that went away; the reason is what to report. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /**
   * From now on `listener` hears the signals that this process is sent, and none of them ends the command; until the answer is called.
   * With `names` it hears only those, and the others do what they do. Undefined where signals are not the command's to hear.
   */
  readonly takeSignals?: (listener: (signal: NodeJS.Signals) => void, names?: readonly NodeJS.Signals[]) => () => void;
}

export interface InputStream {
  readonly isTerminal: boolean;
  readonly chunks: () => AsyncIterable<Uint8Array>;
  /**
   * Of a terminal: keys come as they are pressed, until the answer is called, or the process ends. None means a signal, and what is
   * written is not changed; with `keepSignals` both stay as they are.
   */
  readonly takeKeys?: (options?: { readonly keepSignals?: boolean }) => Promise<() => void>;
}

export interface OutputStream {
  readonly isTerminal: boolean;
  /** The terminal's size now. */
  readonly size?: () => { readonly columns: number; readonly rows: number };
  /** Says when the terminal got another size, until the answer is called. */
  readonly onResize?: (listener: () => void) => () => void;
  /** Writes without waiting. A failure ends the command through the signal. */
  readonly print: (text: string) => void;
  /** Writes; resolves when more may come. Rejects with {@link BrokenPipe} when nobody reads any more. */
  readonly write: (chunk: Uint8Array) => Promise<void>;
}

/** Whoever read our output has gone. Not an error to report: the command just ends. */
export class BrokenPipe extends Error {
  constructor(cause: unknown) {
    super("the reader of the output has gone", { cause });
    this.name = "BrokenPipe";
  }
}
