import { needsArgument, readCommandLine, readJsonList, readWholeLine, type Check } from "./check.ts";
import { readFlags } from "./flags.ts";
import type {
  ArgInstruction,
  CmdInstruction,
  EntrypointInstruction,
  EnvInstruction,
  ExposeInstruction,
  KeyValue,
  LabelInstruction,
  MaintainerInstruction,
  ShellInstruction,
  StopSignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from "./instructions.ts";
import { trimSpace } from "./white-space.ts";
import { splitAtBlanks, splitQuoted } from "./word-split.ts";

/** ARG (I08): names with or without a default, both as written. */
export function checkArg(check: Check): ArgInstruction {
  readFlags(check, {});
  const args = splitQuoted(check.node.rest, check.escape).map((word) => {
    const equals = word.text.indexOf("=");
    if (equals === 0) throw check.fail("DOCKERFILE_SYNTAX", "ARG names can not be blank");
    return {
      name: equals === -1 ? word.text : word.text.slice(0, equals),
      value: equals === -1 ? undefined : word.text.slice(equals + 1),
      where: check.rangeOfRest(word),
    };
  });
  if (args.length === 0) throw needsArgument(check);
  return { ...check.base, kind: "arg", args };
}

/** ENV (I07). */
export function checkEnv(check: Check): EnvInstruction {
  readFlags(check, {});
  return { ...check.base, kind: "env", ...readPairs(check) };
}

/** LABEL (I09). */
export function checkLabel(check: Check): LabelInstruction {
  readFlags(check, {});
  return { ...check.base, kind: "label", ...readPairs(check) };
}

/** `k=v k2="v 2"`, or the one pair of the old `key rest of line` when the first word has no `=` (P11). */
function readPairs(check: Check): { pairs: readonly KeyValue[]; legacy: boolean } {
  const { name, rest } = check.node;
  const words = splitQuoted(rest, check.escape);
  const first = words[0];
  if (first === undefined) throw needsArgument(check);
  if (!first.text.includes("=")) {
    const old = /^([^\t\v\f\r ]*)[\t\v\f\r ]+([^]*)$/.exec(rest);
    if (old === null) {
      throw check.fail("DOCKERFILE_SYNTAX", `${name} must have two arguments`, { hint: `write ${name} ${first.text}=value` });
    }
    return { pairs: [{ key: old[1]!, value: old[2]! }], legacy: true };
  }
  const pairs = words.map(({ text }) => {
    const equals = text.indexOf("=");
    if (equals === -1) {
      const message = `Syntax error - can't find = in ${JSON.stringify(text)}. Must be of the form: name=value`;
      throw check.fail("DOCKERFILE_SYNTAX", message, { hint: "put values with spaces into double quotes" });
    }
    if (equals === 0) throw check.fail("DOCKERFILE_SYNTAX", `${name} names can not be blank`);
    return { key: text.slice(0, equals), value: text.slice(equals + 1) };
  });
  return { pairs, legacy: false };
}

/** CMD (I03). Without arguments it is the empty shell command. */
export function checkCmd(check: Check): CmdInstruction {
  readFlags(check, {});
  return { ...check.base, kind: "cmd", command: readCommandLine(check) };
}

/** ENTRYPOINT (I04). */
export function checkEntrypoint(check: Check): EntrypointInstruction {
  readFlags(check, {});
  return { ...check.base, kind: "entrypoint", command: readCommandLine(check) };
}

/** EXPOSE (I10): words as written, in the order of their text, which is the order in which BuildKit records them. */
export function checkExpose(check: Check): ExposeInstruction {
  readFlags(check, {});
  const ports = splitAtBlanks(check.node.rest).map((word) => word.text);
  if (ports.length === 0) throw needsArgument(check);
  return { ...check.base, kind: "expose", ports: ports.sort() };
}

/** USER (I11). */
export function checkUser(check: Check): UserInstruction {
  readFlags(check, {});
  return { ...check.base, kind: "user", user: readWholeLine(check) };
}

/** WORKDIR (I12). */
export function checkWorkdir(check: Check): WorkdirInstruction {
  readFlags(check, {});
  return { ...check.base, kind: "workdir", path: readWholeLine(check) };
}

/** STOPSIGNAL (I14). Whether the signal exists is known only after expansion. */
export function checkStopSignal(check: Check): StopSignalInstruction {
  readFlags(check, {});
  return { ...check.base, kind: "stopsignal", signal: readWholeLine(check) };
}

/** MAINTAINER (I18). */
export function checkMaintainer(check: Check): MaintainerInstruction {
  readFlags(check, {});
  return { ...check.base, kind: "maintainer", name: readWholeLine(check) };
}

/** VOLUME (I13): JSON or words. */
export function checkVolume(check: Check): VolumeInstruction {
  readFlags(check, {});
  const paths = (readJsonList(check) ?? splitAtBlanks(check.node.rest).map((word) => word.text)).map(trimSpace);
  if (paths.length === 0) throw needsArgument(check);
  if (paths.includes("")) throw check.fail("DOCKERFILE_SYNTAX", "VOLUME specified can not be an empty string");
  return { ...check.base, kind: "volume", paths };
}

/** SHELL (I16): JSON only. */
export function checkShell(check: Check): ShellInstruction {
  readFlags(check, {});
  const args = readJsonList(check);
  if (check.node.rest === "" || args?.length === 0) throw needsArgument(check);
  if (args === undefined) {
    throw check.fail("DOCKERFILE_SYNTAX", "SHELL requires the arguments to be in JSON form", {
      hint: 'write for example SHELL ["/bin/sh", "-c"]',
    });
  }
  return { ...check.base, kind: "shell", args };
}
