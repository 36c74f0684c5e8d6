import { message, type Field, type Fields, type Message } from "./codec.ts";
import { createWireReader, invalidLlb, type WireReader, type WireType, type WireWriter } from "./wire.ts";

interface Scalar<T> {
  readonly type: WireType;
  readonly zero: () => T;
  isZero(value: T): boolean;
  put(writer: WireWriter, value: T): void;
  take(reader: WireReader): T;
}

const textScalar: Scalar<string> = {
  type: 2,
  zero: () => "",
  isZero: (value) => value === "",
  put: (writer, value) => writer.text(value),
  take: (reader) => reader.text(),
};
const bytesScalar: Scalar<Uint8Array> = {
  type: 2,
  zero: () => new Uint8Array(0),
  isZero: (value) => value.length === 0,
  put: (writer, value) => writer.bytes(value),
  take: (reader) => new Uint8Array(reader.bytes()),
};
const integerScalar: Scalar<number> = {
  type: 0,
  zero: () => 0,
  isZero: (value) => value === 0,
  put: (writer, value) => writer.integer(value),
  take: (reader) => reader.integer(),
};
const booleanScalar: Scalar<boolean> = {
  type: 0,
  zero: () => false,
  isZero: (value) => !value,
  put: (writer, value) => writer.integer(value ? 1 : 0),
  take: (reader) => reader.integer() !== 0,
};

function expectType(actual: WireType, wanted: WireType): void {
  if (actual !== wanted) throw invalidLlb("an LLB field has another wire type than its message says");
}

function once(seen: boolean): void {
  if (seen) throw invalidLlb("an LLB field that may occur once stands twice");
}

function single<T>(number: number, scalar: Scalar<T>): Field<T> {
  return {
    number,
    initial: scalar.zero,
    write(writer, value) {
      if (scalar.isZero(value)) return;
      writer.tag(number, scalar.type);
      scalar.put(writer, value);
    },
    read(reader, type, _previous, seen) {
      expectType(type, scalar.type);
      once(seen);
      return scalar.take(reader);
    },
  };
}

export const text = (number: number): Field<string> => single(number, textScalar);
export const bytes = (number: number): Field<Uint8Array> => single(number, bytesScalar);
export const integer = (number: number): Field<number> => single(number, integerScalar);
export const boolean = (number: number): Field<boolean> => single(number, booleanScalar);

/** An unsigned integer with presence (member of a `oneof`): written even when 0. */
export function presentInteger(number: number): Field<number> {
  const field = integer(number);
  return {
    ...field,
    oneof: true,
    initial: () => undefined,
    write(writer, value) {
      writer.tag(number, 0);
      writer.integer(value);
    },
  };
}

/** An enum whose members are `names`, by value. */
export function enumeration<T extends string>(number: number, names: readonly T[]): Field<T> {
  const field = integer(number);
  return {
    number,
    initial: () => names[0],
    write: (writer, value) => field.write(writer, names.indexOf(value)),
    read(reader, type, _previous, seen) {
      const value = names[field.read(reader, type, undefined, seen)];
      if (value === undefined) throw invalidLlb("an LLB message holds an unknown enum value");
      return value;
    },
  };
}

/** An embedded message; absent when not set. */
export function embedded<T>(number: number, type: Message<T>): Field<T> {
  return {
    number,
    initial: () => undefined,
    write(writer, value) {
      writer.tag(number, 2);
      writer.nested(() => type.write(writer, value));
    },
    read(reader, wireType, _previous, seen) {
      expectType(wireType, 2);
      once(seen);
      return type.decode(reader.bytes());
    },
  };
}

/** An embedded message that is a member of a `oneof`. */
export function choice<T>(number: number, type: Message<T>): Field<T> {
  return { ...embedded(number, type), oneof: true };
}

/** A list of embedded messages. */
export function repeated<T>(number: number, type: Message<T>): Field<readonly T[]> {
  const field = embedded(number, type);
  return {
    number,
    initial: () => [],
    write: (writer, values) => values.forEach((value) => field.write(writer, value)),
    read: (reader, wireType, previous) => append(previous, field.read(reader, wireType, undefined, false)),
  };
}

/** A list of texts or byte strings. */
function repeatedScalar<T>(number: number, scalar: Scalar<T>): Field<readonly T[]> {
  return {
    number,
    initial: () => [],
    write(writer, values) {
      for (const value of values) {
        writer.tag(number, scalar.type);
        scalar.put(writer, value);
      }
    },
    read(reader, type, previous) {
      expectType(type, scalar.type);
      return append(previous, scalar.take(reader));
    },
  };
}

export const repeatedText = (number: number): Field<readonly string[]> => repeatedScalar(number, textScalar);
export const repeatedBytes = (number: number): Field<readonly Uint8Array[]> => repeatedScalar(number, bytesScalar);

/** A list of integers: written packed, read packed or one by one. */
export function packedIntegers(number: number): Field<readonly number[]> {
  return {
    number,
    initial: () => [],
    write(writer, values) {
      if (values.length === 0) return;
      writer.tag(number, 2);
      writer.nested(() => values.forEach((value) => writer.integer(value)));
    },
    read(reader, type, previous) {
      if (type === 0) return append(previous, reader.integer());
      expectType(type, 2);
      const inner = createWireReader(reader.bytes());
      let list: readonly number[] = previous ?? [];
      while (!inner.done()) list = append(list, inner.integer());
      return list;
    },
  };
}

/** A map with text keys. Entries are written by the bytes of their keys, with key and value even when these are defaults. */
function mapOf<T>(
  number: number,
  put: (writer: WireWriter, value: T) => void,
  entry: Message<{ key: string; value: T }>,
): Field<Readonly<Record<string, T>>> {
  return {
    number,
    initial: () => ({}),
    write(writer, values) {
      for (const [key, value] of Object.entries(values).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
        writer.tag(number, 2);
        writer.nested(() => {
          writer.tag(1, 2);
          writer.text(key);
          put(writer, value);
        });
      }
    },
    read(reader, type, previous) {
      expectType(type, 2);
      const { key, value } = entry.decode(reader.bytes());
      return Object.defineProperty(previous ?? {}, key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      }) as Record<string, T>;
    },
  };
}

/** `map<string, string>` */
export function textMap(number: number): Field<Readonly<Record<string, string>>> {
  const put = (writer: WireWriter, value: string): void => {
    writer.tag(2, 2);
    writer.text(value);
  };
  return mapOf(number, put, message<{ key: string; value: string }>("map entry", { key: text(1), value: text(2) }));
}

/** `map<string, bool>` */
export function booleanMap(number: number): Field<Readonly<Record<string, boolean>>> {
  const put = (writer: WireWriter, value: boolean): void => {
    writer.tag(2, 0);
    writer.integer(value ? 1 : 0);
  };
  return mapOf(number, put, message<{ key: string; value: boolean }>("map entry", { key: text(1), value: boolean(2) }));
}

/** `map<string, Message>` */
export function messageMap<T>(number: number, type: Message<T>): Field<Readonly<Record<string, T>>> {
  const field = embedded(2, type);
  const present: Field<T> = { ...field, initial: () => type.decode(new Uint8Array(0)) };
  const fields = { key: text(1), value: present } as Fields<{ key: string; value: T }>;
  return mapOf(number, (writer, value) => field.write(writer, value), message<{ key: string; value: T }>("map entry", fields));
}

function append<T>(previous: readonly T[] | undefined, value: T): readonly T[] {
  const list = previous as T[] | undefined;
  if (list === undefined) return [value];
  list.push(value);
  return list;
}
