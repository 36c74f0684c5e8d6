import { VarveError } from "../errors/index.ts";

/** Protobuf wire types (protobuf.dev, "Encoding"); groups (3, 4) are not used by LLB. */
export type WireType = 0 | 1 | 2 | 5;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** An `LLB_INVALID` error. */
export function invalidLlb(message: string, cause?: unknown): VarveError {
  return new VarveError("LLB_INVALID", message, cause === undefined ? {} : { cause });
}

/** A growing buffer that protobuf values are appended to. */
export interface WireWriter {
  /** A signed or unsigned integer as a varint; negative ones in the ten bytes of their 64-bit two's complement. */
  integer(value: number): void;
  tag(field: number, type: WireType): void;
  /** A length, then the bytes. */
  bytes(value: Uint8Array): void;
  text(value: string): void;
  /** A length, then whatever `write` appends. */
  nested(write: () => void): void;
  /** What was written, as an array of its own. */
  finish(): Uint8Array;
}

/** Makes an empty writer. */
export function createWireWriter(): WireWriter {
  let buffer = new Uint8Array(256);
  let length = 0;

  const reserve = (extra: number): void => {
    if (length + extra <= buffer.length) return;
    const grown = new Uint8Array(Math.max(buffer.length * 2, length + extra));
    grown.set(buffer.subarray(0, length));
    buffer = grown;
  };
  const small = (value: number): void => {
    reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      buffer[length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    buffer[length++] = rest;
  };
  const wide = (value: number): void => {
    reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      buffer[length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    buffer[length++] = Number(rest);
  };
  const integer = (value: number): void => {
    if (!Number.isInteger(value) || value < -(2 ** 63) || value >= 2 ** 63) throw new TypeError(`${value} is no 64-bit integer`);
    if (value >= 0 && Number.isSafeInteger(value)) small(value);
    else wide(value);
  };
  const bytes = (value: Uint8Array): void => {
    small(value.length);
    reserve(value.length);
    buffer.set(value, length);
    length += value.length;
  };

  return {
    integer,
    tag: (field, type) => small(field * 8 + type),
    bytes,
    text: (value) => bytes(encoder.encode(value)),
    nested(write) {
      const start = length;
      write();
      const body = buffer.slice(start, length);
      length = start;
      bytes(body);
    },
    finish: () => buffer.slice(0, length),
  };
}

/** A cursor over encoded bytes. Every read is checked against the end; what does not fit is `LLB_INVALID`. */
export interface WireReader {
  done(): boolean;
  /** The next field's number and wire type. */
  tag(): { readonly field: number; readonly type: WireType };
  /** A varint as a signed 64-bit number; refused when a JavaScript number cannot hold it exactly. */
  integer(): number;
  /** A length and that many bytes: a view of the input. */
  bytes(): Uint8Array;
  /** Like {@link bytes}, and must be UTF-8. */
  text(): string;
  skip(type: WireType): void;
}

/** Reads from `data`, which must not change meanwhile. */
export function createWireReader(data: Uint8Array): WireReader {
  let at = 0;

  const byte = (): number => {
    const value = data[at++];
    if (value === undefined) throw invalidLlb("an LLB message ends in the middle of a value");
    return value;
  };
  const wideInteger = (start: number): number => {
    at = start;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const next = byte();
      value |= BigInt(next & 0x7f) << shift;
      if (next < 0x80) {
        const signed = BigInt.asIntN(64, value);
        const result = Number(signed);
        if (BigInt(result) !== signed) throw invalidLlb("an LLB message holds a number that cannot be kept exactly");
        return result;
      }
    }
    throw invalidLlb("an LLB message holds a number of more than ten bytes");
  };
  const integer = (): number => {
    const start = at;
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 7; count++) {
      const next = byte();
      value += (next & 0x7f) * factor;
      if (next < 0x80) return value;
      factor *= 0x80;
    }
    return wideInteger(start);
  };
  const take = (count: number): Uint8Array => {
    if (count < 0 || count > data.length - at) throw invalidLlb("an LLB message is shorter than it says");
    const view = data.subarray(at, at + count);
    at += count;
    return view;
  };
  const bytes = (): Uint8Array => take(integer());

  return {
    done: () => at >= data.length,
    tag() {
      const value = integer();
      const type = value & 7;
      const field = Math.floor(value / 8);
      if (field < 1 || field > 0x1fff_ffff) throw invalidLlb("an LLB message holds an impossible field number");
      if (type !== 0 && type !== 1 && type !== 2 && type !== 5) throw invalidLlb("an LLB message uses an unknown wire type");
      return { field, type };
    },
    integer,
    bytes,
    text() {
      const view = bytes();
      try {
        return strictUtf8.decode(view);
      } catch (error) {
        throw invalidLlb("an LLB message holds a text that is not UTF-8", error);
      }
    },
    skip(type) {
      if (type === 0) integer();
      else if (type === 1) take(8);
      else if (type === 2) bytes();
      else take(4);
    },
  };
}
