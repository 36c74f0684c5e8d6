import { randomBytes } from "node:crypto";

const refLength = 25;

/** A new build's ref: 128 random bits as 25 lower-case letters and digits, as BuildKit's identities. */
export function createRef(): string {
  return BigInt(`0x${randomBytes(16).toString("hex")}`)
    .toString(36)
    .padStart(refLength, "0");
}

/** What may begin a ref. */
export const refPattern = /^[0-9a-z]{1,25}$/;

/** The N of `^N`, or undefined for another text. */
export function parseOffset(name: string): number | undefined {
  return /^\^\d{1,9}$/.test(name) ? Number(name.slice(1)) : undefined;
}
