import { readFileList, type FileList, type Trace } from "../explain/index.ts";
import type { State } from "../state/index.ts";
import { packText, unpackText } from "./pack-text.ts";

export const tracesSchema = `
CREATE TABLE IF NOT EXISTS build_traces (
  id INTEGER PRIMARY KEY,
  line TEXT NOT NULL,    -- digest of what makes builds comparable: Dockerfile and context
  variant TEXT NOT NULL, -- JSON: [digest of arguments and platform, target]
  state TEXT NOT NULL,   -- digest of the keys of all steps
  data BLOB NOT NULL     -- the trace as JSON, deflated
);
CREATE INDEX IF NOT EXISTS build_traces_line ON build_traces (line, id);
CREATE TABLE IF NOT EXISTS file_lists (
  digest TEXT PRIMARY KEY, -- of a content
  used INTEGER NOT NULL,   -- milliseconds since 1970
  size INTEGER NOT NULL,   -- bytes of data
  data BLOB NOT NULL       -- its files, deflated
);
`;

/** Traces that are kept of one line of builds, and of all. */
const maxTracesOfLine = 4;
const maxTraces = 400;
/** Bytes of all lists of files together; the least recently used go first. */
const maxListBytes = 64 * 1024 * 1024;

/** What makes builds of a line differ without an edit. */
export interface Variant {
  /** Digest of build arguments and platform. */
  readonly args: string;
  readonly target: string;
}

export interface SavedTrace {
  readonly id: number;
  readonly isSameVariant: boolean;
  readonly state: string;
}

/** Traces and lists of files, shared by all processes that use the store. */
export interface TraceStore {
  /**
   * The build of a line to compare with: the last one with the same arguments and target, else with the same arguments, else
   * the last one.
   */
  find(line: string, variant: Variant): SavedTrace | undefined;
  read(saved: SavedTrace): Trace | undefined;
  save(line: string, variant: Variant, state: string, trace: Trace): void;
  /** The files behind a digest of contents, and the entries behind that of a folder, where they are still known. */
  files(digest: string): FileList | undefined;
  entries(digest: string): string | undefined;
  has(digest: string): boolean;
  /** Keeps lists and entries as `packText` packs them. */
  saveLists(lists: readonly (readonly [digest: string, packed: Uint8Array])[]): void;
}

export function openTraces({ state }: { readonly state: State }): TraceStore {
  function textBehind(digest: string): string | undefined {
    const row = state.get<{ data: Uint8Array }>("SELECT data FROM file_lists WHERE digest = ?", digest);
    if (!row) return undefined;
    state.run("UPDATE file_lists SET used = ? WHERE digest = ?", Date.now(), digest);
    return unpackText(row.data);
  }
  return {
    find(line, variant) {
      const rows = state.all<{ id: number; variant: string; state: string }>(
        "SELECT id, variant, state FROM build_traces WHERE line = ? ORDER BY id DESC",
        line,
      );
      const same = textOf(variant);
      const sameArgs = `${JSON.stringify([variant.args]).slice(0, -1)},`;
      const row = rows.find((each) => each.variant === same) ?? rows.find((each) => each.variant.startsWith(sameArgs)) ?? rows[0];
      return row && { id: row.id, state: row.state, isSameVariant: row.variant === same };
    },
    read({ id }) {
      const row = state.get<{ data: Uint8Array }>("SELECT data FROM build_traces WHERE id = ?", id);
      return row && (JSON.parse(unpackText(row.data)) as Trace);
    },
    save(line, variant, digest, trace) {
      const data = packText(JSON.stringify(trace));
      state.transaction(() => {
        const row = [line, textOf(variant), digest, data] as const;
        state.run("INSERT INTO build_traces (line, variant, state, data) VALUES (?, ?, ?, ?)", ...row);
        const surplus = "SELECT id FROM build_traces WHERE line = ? ORDER BY id DESC LIMIT -1 OFFSET ?";
        state.run(`DELETE FROM build_traces WHERE id IN (${surplus})`, line, maxTracesOfLine);
        state.run(
          "DELETE FROM build_traces WHERE id IN (SELECT id FROM build_traces ORDER BY id DESC LIMIT -1 OFFSET ?)",
          maxTraces,
        );
      });
    },
    files(digest) {
      const text = textBehind(digest);
      return text === undefined ? undefined : readFileList(text);
    },
    entries: textBehind,
    has: (digest) => state.get("SELECT 1 FROM file_lists WHERE digest = ?", digest) !== undefined,
    saveLists(lists) {
      if (lists.length === 0) return;
      state.transaction(() => {
        const time = Date.now();
        for (const [digest, packed] of lists) {
          const row = [digest, time, packed.length, packed] as const;
          state.run("INSERT OR REPLACE INTO file_lists (digest, used, size, data) VALUES (?, ?, ?, ?)", ...row);
        }
        state.run(
          "DELETE FROM file_lists WHERE digest IN (SELECT digest FROM" +
            " (SELECT digest, sum(size) OVER (ORDER BY used DESC, digest) AS total FROM file_lists) WHERE total > ?)",
          maxListBytes,
        );
      });
    },
  };
}

function textOf({ args, target }: Variant): string {
  return JSON.stringify([args, target]);
}
