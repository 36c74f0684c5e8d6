import { call, tryCall } from "./libc.ts";

/** `struct termios` is 60 bytes in glibc and musl; nobody is harmed by more. */
const settingsBytes = 256;
/** TCSADRAIN of termios.h: when all that was written is out. */
const afterOutput = 1;
/** EIO, EBADF, ENOTTY */
const goneErrors = [5, 9, 25];

/**
 * Makes the terminal at `fd` raw, as cfmakeraw(3) does: each key comes by itself and unchanged, none is a signal, none is shown, and
 * what is written is not changed either (Node's raw mode adds a carriage return to each line end). The answer puts it back, where the
 * terminal is still there.
 */
export function makeRaw(fd: number): () => void {
  return changeSettings(fd, (settings) => {
    call("cfmakeraw", undefined, (c) => {
      c.cfmakeraw(settings);
      return 0;
    });
  });
}

/** Where `struct termios` has its local modes, and among its control characters VTIME and VMIN. (Linux, asm-generic/termbits.h) */
const localModesAt = 12;
const vtimeAt = 17 + 5;
const vminAt = 17 + 6;
/** ICANON | ECHO */
const lineEditing = 2 | 8;

/**
 * Makes the terminal at `fd` hand over each key as it is pressed, unseen; but those that mean a signal still do, and what is written is
 * written as before. The answer puts it back.
 */
export function makeUnbuffered(fd: number): () => void {
  return changeSettings(fd, (settings) => {
    settings.writeUInt32LE((settings.readUInt32LE(localModesAt) & ~lineEditing) >>> 0, localModesAt);
    settings[vtimeAt] = 0;
    settings[vminAt] = 1;
  });
}

function changeSettings(fd: number, change: (settings: Buffer) => void): () => void {
  const before = Buffer.alloc(settingsBytes);
  call("tcgetattr", undefined, (c) => c.tcgetattr(fd, before));
  const changed = Buffer.from(before);
  call("tcsetattr", undefined, (c) => {
    change(changed);
    return c.tcsetattr(fd, afterOutput, changed);
  });
  return () => void tryCall("tcsetattr", undefined, goneErrors, (c) => c.tcsetattr(fd, afterOutput, before));
}
