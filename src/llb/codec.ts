import { createWireReader, createWireWriter, invalidLlb, type WireReader, type WireType, type WireWriter } from "./wire.ts";

/**
 * A small table-driven protobuf codec: a message is a table of typed fields. Own code instead of a library, because
 * start-up counts (nothing to load, nothing parsed at run time) and because the bytes must be exactly those of Go's
 * deterministic marshalling: fields by number (members of a `oneof` last), maps by the bytes of their keys, default values left out.
 */
export interface Field<T> {
  readonly number: number;
  /** Member of a `oneof`: Go writes these after all other fields of the message (protobuf-go, internal/order, LegacyFieldOrder). */
  readonly oneof?: boolean;
  /** The value when the field does not occur; `undefined` leaves the property out. */
  initial(): T | undefined;
  write(writer: WireWriter, value: T): void;
  /** `previous` is what earlier occurrences gave; `seen` says whether there was one. */
  read(reader: WireReader, type: WireType, previous: T | undefined, seen: boolean): T;
}

/** A message: its value to bytes and back. */
export interface Message<T> {
  readonly name: string;
  write(writer: WireWriter, value: T): void;
  decode(data: Uint8Array): T;
}

/** The table of a message: one field per property. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

interface Entry {
  readonly key: string;
  readonly field: Field<unknown>;
}

/**
 * A message with the given fields. An unknown field is an error, save those listed in `ignored`: an op that is not
 * understood whole must not be run.
 */
export function message<T extends object>(name: string, fields: Fields<T>, ignored: readonly number[] = []): Message<T> {
  const entries: Entry[] = [];
  for (const key in fields) entries.push({ key, field: fields[key] as Field<unknown> });
  entries.sort((a, b) => Number(a.field.oneof ?? false) - Number(b.field.oneof ?? false) || a.field.number - b.field.number);
  const byNumber = new Map(entries.map((entry) => [entry.field.number, entry]));
  return {
    name,
    write(writer, value) {
      const properties = value as Record<string, unknown>;
      for (const { key, field } of entries) {
        const property = properties[key];
        if (property !== undefined) field.write(writer, property);
      }
    },
    decode(data) {
      const reader = createWireReader(data);
      const result: Record<string, unknown> = {};
      for (const { key, field } of entries) {
        const value = field.initial();
        if (value !== undefined) result[key] = value;
      }
      const seen = new Set<number>();
      while (!reader.done()) {
        const { field: number, type } = reader.tag();
        const entry = byNumber.get(number);
        if (entry === undefined) {
          if (!ignored.includes(number)) throw invalidLlb(`an LLB ${name} holds the unknown field ${number}`);
          reader.skip(type);
          continue;
        }
        result[entry.key] = entry.field.read(reader, type, result[entry.key], seen.has(number));
        seen.add(number);
      }
      return result as T;
    },
  };
}

/** Encodes one message. */
export function encode<T>(type: Message<T>, value: T): Uint8Array {
  const writer = createWireWriter();
  type.write(writer, value);
  return writer.finish();
}
