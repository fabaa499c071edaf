/** How many steps the training thread may run before JavaScript has something to do. @module */

/** Steps from `step` to the next multiple of any of the `intervals`, at least 1; undefined intervals do not count. */
export function stepsToBoundary(step: number, intervals: readonly (number | undefined)[]): number {
  const distances = intervals.flatMap((interval) => (interval === undefined ? [] : [interval - (step % interval)]))
  return Math.min(...distances)
}
