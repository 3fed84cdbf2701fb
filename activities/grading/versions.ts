/**
 * Every version of the grader that has judged, oldest first; the last is GRADER_VERSION. A stored table names its grader
 * only in a digest of what it was made from, so the names are kept to be tried.
 */
export const graders = ['placebo-1', 'placebo-2', 'placebo-3', 'placebo-4'] as const
