/** What is wrong with compressed data; whoever reads it gives it a code. The message completes "the data is damaged: …". */
export class DamagedData extends Error {}
