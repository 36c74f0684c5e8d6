import type { TarTime } from "./entry.ts";
import { malformed } from "./failures.ts";

export type PaxRecord = readonly [key: string, value: Buffer];

/** The records of a PAX entry's body, in order (POSIX.1-2017, pax, "pax Extended Header"): `LENGTH KEY=VALUE\n` each. */
export function decodePax(body: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const digits = body.toString("latin1", at, space === -1 || space > at + 10 ? at : space);
    const length = /^[0-9]+$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = body.indexOf(0x3d, space);
    if (length === 0 || end > body.length || body[end - 1] !== 0x0a || equals <= space + 1 || equals >= end) {
      throw malformed("an extended header's record does not have the form LENGTH KEY=VALUE");
    }
    const key = body.toString("utf8", space + 1, equals);
    if (key.includes("\0")) throw malformed("an extended header's keyword holds a NUL");
    records.push([key, body.subarray(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** One record. Its length counts its own digits. */
export function encodePaxRecord(key: string, value: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  let length = rest.length + 1;
  while (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** A decimal number that is not negative and that JavaScript can hold exactly. */
export function paxCount(key: string, value: Buffer | string): number {
  const text = value.toString();
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || number > Number.MAX_SAFE_INTEGER) throw malformed(`an extended header's ${key} is not a number`);
  return number;
}

/** Seconds with an optional fraction; digits beyond nanoseconds are cut off. */
export function paxTime(value: Buffer): TarTime {
  const match = /^(-?)([0-9]{1,18})(?:\.([0-9]*))?$/.exec(value.toString());
  if (match === null) throw malformed("an extended header's mtime is not a time");
  const sec = BigInt(match[2] ?? "0");
  const nsec = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  if (match[1] === "") return { sec, nsec };
  return nsec === 0 ? { sec: -sec, nsec } : { sec: -sec - 1n, nsec: 1_000_000_000 - nsec };
}

/** The inverse of {@link paxTime}. */
export function printPaxTime({ sec, nsec }: TarTime): string {
  const negative = sec < 0n && nsec > 0;
  const whole = negative ? -(sec + 1n) : sec;
  const fraction = negative ? 1_000_000_000 - nsec : nsec;
  const digits = fraction === 0 ? "" : `.${String(fraction).padStart(9, "0").replace(/0+$/, "")}`;
  return `${negative ? "-" : ""}${whole}${digits}`;
}
