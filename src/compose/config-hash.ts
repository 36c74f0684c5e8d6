import { createHash } from "node:crypto";
import type { Service } from "../compose-file/index.ts";
import type { GrantedFile } from "./granted-files.ts";

/**
 * Hexadecimal SHA-256 of all that a container of a service is made by: two with the same hash need not be made anew. How many there
 * are, how the image is got and what it waits for take no part; the text of secrets and configs that are copied does.
 */
export function configHash(service: Service, files: readonly GrantedFile[]): string {
  const { build, pull_policy: pullPolicy, scale, depends_on: dependsOn, profiles, develop, deploy, ...rest } = service;
  void [build, pullPolicy, scale, dependsOn, profiles, develop];
  const { replicas, ...restOfDeploy } = deploy ?? {};
  void replicas;
  const texts = files.flatMap((file) => (file.kind === "copy" && "text" in file.from ? [[file.target, file.from.text]] : []));
  const whole = { ...rest, deploy: restOfDeploy, ...(texts.length === 0 ? {} : { files: texts }) };
  return createHash("sha256")
    .update(JSON.stringify(sorted(whole)))
    .digest("hex");
}

/** With the keys of all objects in order; what is undefined is left out. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}
