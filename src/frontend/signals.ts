/** Linux signal names without SIG (signal(7)), with the real-time ones as moby/sys/signal names them. */
const names = new Set(
  (
    "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN " +
    "TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX"
  ).split(" "),
);
for (let offset = 1; offset <= 15; offset++) names.add(`RTMIN+${offset}`);
for (let offset = 1; offset <= 14; offset++) names.add(`RTMAX-${offset}`);

/** True for a signal's number or name, with or without SIG, in any letter case. 0 is none. */
export function isSignal(text: string): boolean {
  if (/^[+-]?\d+$/.test(text)) return Number(text) !== 0;
  return names.has(text.toUpperCase().replace(/^SIG/, ""));
}
