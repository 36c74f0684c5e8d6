import { readCommandLine, type Check } from "./check.ts";
import { splitCsv } from "./csv.ts";
import { readFlags } from "./flags.ts";
import type { RunInstruction, RunMount } from "./instructions.ts";
import { didYouMean } from "../errors/index.ts";
import { parseBoolean } from "./numbers.ts";
import type { Span } from "./syntax.ts";

interface FlagText {
  readonly value: string;
  readonly span: Span;
}

/** RUN (I02, R01-R09). Mount fields are split but, `from` apart, looked at only after expansion: see `checkMount`. */
export function checkRun(check: Check): RunInstruction {
  const flags = readFlags(check, { mount: "strings", network: "string", security: "string", device: "strings" });
  const network = flags.network ?? "default";
  if (network !== "default" && network !== "none" && network !== "host") {
    throw check.fail("DOCKERFILE_FLAG", `invalid network mode ${JSON.stringify(network)}`, {
      hint: "network modes are default, none and host; variables are not expanded here",
    });
  }
  const security = flags.security ?? "sandbox";
  if (security !== "sandbox" && security !== "insecure") {
    throw check.fail("DOCKERFILE_FLAG", `security ${JSON.stringify(security)} is not valid`, {
      hint: "security modes are sandbox and insecure",
    });
  }
  return {
    ...check.base,
    kind: "run",
    command: readCommandLine(check),
    heredocs: check.node.heredocs,
    mounts: flags.mount.map((flag) => readMount(check, flag)),
    network,
    security,
    devices: flags.device.map((flag) => readDevice(check, flag)),
  };
}

function readMount(check: Check, { value, span }: FlagText): RunMount {
  const parts = splitCsv(value);
  if ("problem" in parts) throw check.fail("DOCKERFILE_MOUNT", `failed to parse csv mounts: ${parts.problem}`, { span });
  const fields = parts.map((part) => {
    const equals = part.indexOf("=");
    return {
      key: (equals === -1 ? part : part.slice(0, equals)).toLowerCase(),
      value: equals === -1 ? undefined : part.slice(equals + 1),
    };
  });
  // the source must be known before anything can be expanded: it decides which stages the build needs
  if (fields.some((field) => field.key === "from" && /\$./.test(field.value ?? ""))) {
    throw check.fail("DOCKERFILE_MOUNT", "'from' doesn't support variable expansion, define alias stage instead", {
      span,
      hint: "write FROM $NAME AS alias before the first stage that needs it, and from=alias here",
    });
  }
  return { where: check.range(span), fields };
}

/** `--device` (R09): a name, bare or as `name=`, and `required`. */
function readDevice(check: Check, { value, span }: FlagText): RunInstruction["devices"][number] {
  const parts = splitCsv(value);
  if ("problem" in parts) throw check.fail("DOCKERFILE_FLAG", `failed to parse csv devices: ${parts.problem}`, { span });
  let name = "";
  let required = false;
  for (const field of parts) {
    const equals = field.indexOf("=");
    const key = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
    const text = equals === -1 ? undefined : field.slice(equals + 1);
    if (key === "required") {
      const parsed = text === undefined ? true : parseBoolean(text);
      if (parsed === undefined) throw check.fail("DOCKERFILE_FLAG", `invalid value for required: ${text}`, { span });
      required = parsed;
    } else if (key === "name" && text !== undefined) {
      if (name !== "") throw check.fail("DOCKERFILE_FLAG", `device name already set to ${name}`, { span });
      name = text;
    } else if (name === "") {
      // CDI names such as vendor.com/class=device have an equals sign of their own
      name = field;
    } else {
      const problem =
        text === undefined
          ? `invalid field '${field}' must be a key=value pair`
          : `unexpected key '${key}' in '${field}'${didYouMean(key, ["name", "required"])}`;
      throw check.fail("DOCKERFILE_FLAG", problem, { span });
    }
  }
  return { name, required, where: check.range(span) };
}
