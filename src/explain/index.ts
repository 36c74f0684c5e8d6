/**
 * Why steps ran: what a build did is compared with what is remembered of an earlier one, and each step's reason is told as
 * data and in one line. Pure: it is handed traces and lists of files, and touches no store, clock or file.
 */
export { describeStep } from "./describe-step.ts";
export { explainSteps, type ExplainOptions, type SolvedFacts, type StepExplainer } from "./explain-steps.ts";
export { type FileFacts } from "./compare-files.ts";
export { reasonLine } from "./reason-line.ts";
export { rootCauseLines, rootCauses, type ExplainedStep } from "./root-causes.ts";
export type { InputTrace, StepTrace, Trace } from "./trace.ts";
export { readFileList, shortenDigests, writeFileList, type FileList, type FileListWriter } from "./file-list.ts";
export { reasonText } from "./reason-text.ts";
