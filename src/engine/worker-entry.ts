import { cacheMountsHandlers } from "../cache-mounts/index.ts";
import { exportersHandlers } from "../exporters/index.ts";
import { gcHandlers } from "../gc/index.ts";
import { layersHandlers } from "../layers/index.ts";
import { opsHandlers } from "../ops/index.ts";
import { sourcesHandlers } from "../sources/index.ts";
import { serveTasks } from "../worker/index.ts";

serveTasks([...layersHandlers, ...sourcesHandlers, ...opsHandlers, ...exportersHandlers, ...cacheMountsHandlers, ...gcHandlers]);
