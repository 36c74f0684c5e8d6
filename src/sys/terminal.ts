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
  const before = Buffer.alloc(settingsBytes);
  call("tcgetattr", undefined, (c) => c.tcgetattr(fd, before));
  const raw = Buffer.from(before);
  call("cfmakeraw", undefined, (c) => {
    c.cfmakeraw(raw);
    return c.tcsetattr(fd, afterOutput, raw);
  });
  return () => void tryCall("tcsetattr", undefined, goneErrors, (c) => c.tcsetattr(fd, afterOutput, before));
}
