import { createHash } from "node:crypto";
import { configHash, type Service } from "../compose-file/index.ts";
import type { GrantedFile } from "./granted-files.ts";

/**
 * Hexadecimal SHA-256 of all that a container of a service is made by: two with the same hash need not be made anew. It is Docker
 * Compose's, unless the service has copies of secrets or configs, whose text counts here, too.
 */
export function containerHash(service: Service, files: readonly GrantedFile[]): string {
  const hash = configHash(service);
  const texts = files.flatMap((file) => (file.kind === "copy" && "text" in file.from ? [[file.target, file.from.text]] : []));
  return texts.length === 0
    ? hash
    : createHash("sha256")
        .update(JSON.stringify([hash, texts]))
        .digest("hex");
}
