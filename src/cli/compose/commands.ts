import type { CommandEntry } from "../commands.ts";

/** The commands of `varve compose`, which take {@link composeFlags} before their name. */
export const composeCommands: readonly CommandEntry[] = [];
