import { openStoreContainers } from "./containers.ts";
import type { Settings } from "./open-varve.ts";
import { openParts } from "./parts.ts";

/** A process that looks after one container: records its end, or tries its health. Nobody reads what it would say. */
async function help([text = "", ...words]: readonly string[]): Promise<void> {
  const settings: Settings = { ...(JSON.parse(text) as Settings), onWarning: () => undefined };
  const parts = openParts(settings);
  try {
    await openStoreContainers(parts, settings).help(words);
  } finally {
    await parts.close({ collect: false });
  }
}

void help(process.argv.slice(2));
