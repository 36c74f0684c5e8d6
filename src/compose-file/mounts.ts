import { posix } from "node:path";
import { map, scalar, type Node, type Place } from "./node.ts";

const propagations = ["rprivate", "private", "rshared", "shared", "rslave", "slave"];

/**
 * The long form of a mount in its short form `[SOURCE:]TARGET[:OPTIONS]` (Compose Specification, services, "volumes"). A
 * source that is a path makes a bind mount, whose folder is made where it is not there. A reason when it is none.
 */
export function readMount(text: string, place?: Place): { readonly mount: Node } | { readonly reason: string } {
  const fail = (reason: string): { readonly reason: string } => ({ reason: `invalid volume ${JSON.stringify(text)}: ${reason}` });
  if (text === "") return fail("it is empty");
  const parts = splitAtColons(text);
  if (parts.some((part) => part === "")) return fail("there is nothing between two colons");
  if (parts.length > 3) return fail("too many colons");
  const [source, target, optionText] = parts.length === 1 ? [undefined, parts[0] ?? ""] : [parts[0], parts[1] ?? "", parts[2]];
  const isBind = source !== undefined && /^(?:[./~]|[a-z]:|\\\\)/i.test(source);
  const yes = scalar(true);
  let readOnly: Node | undefined;
  let noCopy: Node | undefined;
  let selinux: Node | undefined;
  let propagation: Node | undefined;
  for (const option of optionText?.split(",") ?? []) {
    if (option === "ro") readOnly = yes;
    else if (option === "rw") readOnly = undefined;
    else if (option === "nocopy") noCopy = yes;
    else if (option === "z" || option === "Z") selinux = scalar(option, place);
    else if (propagations.includes(option)) propagation = scalar(option, place);
    else if (!["cached", "delegated", "consistent", "nocopy"].includes(option))
      return fail(`"${option}" is no option of a mount`);
  }
  const bind =
    isBind || selinux !== undefined || propagation !== undefined
      ? map({ selinux, propagation, create_host_path: isBind ? yes : undefined })
      : undefined;
  const mount = map(
    {
      type: scalar(isBind ? "bind" : "volume"),
      source: source === undefined ? undefined : scalar(source, place),
      target: scalar(cleanTarget(target), place),
      read_only: readOnly,
      bind,
      volume: isBind && noCopy === undefined ? undefined : map({ nocopy: noCopy }),
    },
    place,
  );
  return { mount };
}

/** A path without `.`, `..` and doubled or final slashes. */
export function cleanTarget(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 ? clean.replace(/\/$/, "") : clean;
}

/** Colons of Windows' drives and of variables that were not replaced separate nothing. */
function splitAtColons(text: string): readonly string[] {
  const parts: string[] = [];
  let part = "";
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text[index] ?? "";
    if (unit === "$" && text[index + 1] === "{") depth += 1;
    else if (unit === "}" && depth > 0) depth -= 1;
    if (unit === ":" && depth === 0 && !/^[a-z]$/i.test(part)) {
      parts.push(part);
      part = "";
    } else part += unit;
  }
  return [...parts, part];
}
