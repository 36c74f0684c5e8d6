import type { Settings } from "./open-varve.ts";
import { collectGarbage } from "./garbage.ts";

// what it is to do comes from the process that started it; nobody reads what it would say
void collectGarbage(JSON.parse(process.argv[2] ?? "") as Settings);
