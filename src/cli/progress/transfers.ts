import type { LayerTransfer } from "../../engine/index.ts";
import { formatSize } from "../format/sizes.ts";
import type { OutputStream } from "../io.ts";

/** Shows layers on their way, as `docker push` and `docker pull` do. */
export interface TransferProgress {
  take(layer: LayerTransfer): void;
  /** Draws what has come since the last drawing. */
  draw(): void;
  /** The last drawing. */
  end(): void;
}

/** How often a terminal is drawn anew, in milliseconds. */
export const drawEveryMs = 100;

/** In columns, where a whole line is there for it. */
const wholeBarWidth = 50;

/** Bars that move on a terminal; elsewhere a line for each layer when it gets somewhere. */
export function createTransferProgress(out: Pick<OutputStream, "isTerminal" | "print" | "size">): TransferProgress {
  const layers = new Map<string, LayerTransfer>();
  return out.isTerminal ? drawBars(out, layers) : printLines(out, layers);
}

function printLines(out: Pick<OutputStream, "print">, layers: Map<string, LayerTransfer>): TransferProgress {
  return {
    take(layer) {
      const before = layers.get(layer.digest);
      layers.set(layer.digest, layer);
      const isMilestone = layer.state !== "pushing" && layer.state !== "downloading";
      if (isMilestone && before?.state !== layer.state) out.print(`${lineOf(layer)}\n`);
    },
    draw: () => undefined,
    end: () => undefined,
  };
}

function drawBars(out: Pick<OutputStream, "print" | "size">, layers: Map<string, LayerTransfer>): TransferProgress {
  let drawn = 0;
  let changed = false;
  const draw = (): void => {
    if (!changed) return;
    changed = false;
    const { columns, rows } = out.size?.() ?? { columns: 80, rows: 24 };
    // What does not fit cannot be drawn over: the first layers are left out, which are the ones that end first.
    const shown = [...layers.values()].slice(-Math.max(1, rows - 2));
    const up = drawn === 0 ? "" : `\u001b[${drawn}A`;
    out.print(up + shown.map((layer) => `\u001b[2K${lineOf(layer, true).slice(0, columns - 1)}\n`).join(""));
    drawn = shown.length;
  };
  return {
    take(layer) {
      layers.set(layer.digest, layer);
      changed = true;
    },
    draw,
    end: draw,
  };
}

function lineOf(layer: LayerTransfer, withBar = false): string {
  const { id, text, bar } = describeLayer(layer);
  return `${id}: ${text}${bar !== undefined && withBar ? ` ${bar}` : ""}`;
}

/** The short ID of a layer, what becomes of it in Docker's words, and how far it is while it moves. */
export function describeLayer(
  { digest, state, current, total, from }: LayerTransfer,
  { barWidth = wholeBarWidth } = {},
): { readonly id: string; readonly text: string; readonly bar?: string } {
  const id = digest.slice(digest.indexOf(":") + 1).slice(0, 12);
  if (state === "mounted") return { id, text: `Mounted from ${from ?? "another repository"}` };
  const moving = state === "pushing" || state === "downloading";
  return { id, text: words[state], ...(moving ? { bar: barOf(current, total, barWidth) } : {}) };
}

const words: Readonly<Record<Exclude<LayerTransfer["state"], "mounted">, string>> = {
  waiting: "Waiting",
  pushing: "Pushing",
  pushed: "Pushed",
  exists: "Layer already exists",
  downloading: "Downloading",
  downloaded: "Download complete",
  pulled: "Pull complete",
};

function barOf(current: number, total: number, barWidth: number): string {
  const filled = total === 0 ? barWidth : Math.min(barWidth, Math.floor((current / total) * barWidth));
  const bar = `${"=".repeat(filled)}${filled < barWidth ? ">" : ""}`.padEnd(barWidth).slice(0, barWidth);
  return `[${bar}]  ${formatSize(current)}/${formatSize(total)}`;
}

/** Shows what `work` tells until it settles. */
export async function showTransfers<T>(
  out: Pick<OutputStream, "isTerminal" | "print" | "size">,
  work: (onLayer: (layer: LayerTransfer) => void) => Promise<T>,
): Promise<T> {
  const progress = createTransferProgress(out);
  const timer = setInterval(() => progress.draw(), drawEveryMs);
  try {
    return await work((layer) => progress.take(layer));
  } finally {
    clearInterval(timer);
    progress.end();
  }
}
