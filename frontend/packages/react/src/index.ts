/** `@loresmith/react`: hooks and components for jobs of LoreSmith. */
export { default as JobErrorCard, type JobErrorCardProps } from "./components/JobErrorCard.js";
export {
  default as JobProgressSpinner,
  type JobProgressSpinnerProps,
} from "./components/JobProgressSpinner.js";
export { default as JobsTray, type JobsTrayProps } from "./components/JobsTray.js";
export { default as PartialCards, type PartialCardsProps } from "./components/PartialCards.js";
export {
  outlookInWords,
  progressInWords,
  secondsInWords,
  stateInWords,
  typeInWords,
} from "./components/wording.js";
export * from "./hooks.js";
export type { BarView } from "./progress/bars.js";
export { useBar } from "./progress/useBar.js";
