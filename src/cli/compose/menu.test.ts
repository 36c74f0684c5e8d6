import assert from "node:assert/strict";
import { test } from "node:test";
import { openMenu } from "./menu.ts";

function terminal() {
  let text = "";
  let keysAreTaken = false;
  let columns = 40;
  let resized = (): void => undefined;
  const typed = new TransformStream<Uint8Array, Uint8Array>();
  const writer = typed.writable.getWriter();
  return {
    io: {
      stdin: {
        isTerminal: true,
        chunks: () => typed.readable,
        takeKeys: (options?: { readonly keepSignals?: boolean }) => {
          assert.equal(options?.keepSignals, true);
          keysAreTaken = true;
          return Promise.resolve(() => void (keysAreTaken = false));
        },
      },
      stdout: {
        isTerminal: true,
        print: (more: string) => void (text += more),
        write: () => Promise.resolve(),
        size: () => ({ columns, rows: 24 }),
        onResize: (listener: () => void) => ((resized = listener), () => void (resized = () => undefined)),
      },
    },
    type: async (keys: string) => {
      await writer.write(Buffer.from(keys));
      await new Promise((resolve) => setImmediate(resolve));
    },
    resize(to: number) {
      columns = to;
      resized();
    },
    keysAreTaken: () => keysAreTaken,
    /** What came since the last question, without the cursor's own. */
    shown() {
      const now = text;
      text = "";
      return now.replaceAll("\u001b", "ESC").replaceAll(/ESC\[\?25[hl]/g, "");
    },
  };
}

test("M22 the menu stays below what is printed, and goes with its keys", async () => {
  const screen = terminal();
  let state = "Enable";
  const acts: string[] = [];
  const menu = await openMenu(screen.io, {
    colors: false,
    entries: [
      { key: "w", text: () => `${state} Watch`, act: () => acts.push("w") },
      { key: "d", text: () => "Detach", act: () => acts.push("d") },
    ],
  });
  assert.equal(screen.shown(), "w Enable Watch   d DetachESC[K\nESC[J");
  menu.print("web-1  | hello\n");
  assert.equal(screen.shown(), "ESC[1A\rweb-1  | helloESC[K\nw Enable Watch   d DetachESC[K\nESC[J");
  assert.equal(screen.keysAreTaken(), true);
  await screen.type("xwd");
  assert.deepEqual(acts, ["w", "d"]);
  state = "Disable";
  menu.refresh();
  assert.equal(screen.shown(), "ESC[1A\rw Disable Watch   d DetachESC[K\nESC[J");
  screen.resize(12);
  // what is now narrower had wrapped its 26 columns
  assert.equal(screen.shown(), "ESC[3A\rw Disable WESC[K\nESC[J");
  menu.close();
  menu.close();
  assert.equal(screen.shown(), "ESC[1A\rESC[J");
  assert.equal(screen.keysAreTaken(), false);
  await screen.type("d");
  assert.deepEqual(acts, ["w", "d"]);
  menu.print("web-1 exited with code 0\n");
  assert.equal(screen.shown(), "web-1 exited with code 0\n");
});
