import type { History } from "../history/index.ts";
import type { Parts } from "./parts.ts";

/** The records of a store that is opened by the first question. */
export function createHistory(needParts: () => Parts): History {
  return {
    list: async () => await needParts().history.list(),
    resolve: async (name) => await needParts().history.resolve(name),
    get: async (name) => await needParts().history.get(name),
    async *events(name, options) {
      yield* needParts().history.events(name, options);
    },
    remove: async (names) => await needParts().history.remove(names),
    pin: async (name, pinned) => await needParts().history.pin(name, pinned),
  };
}
