/**
 * How far a measured share can be trusted.
 * @module
 */

/** 97.5% quantile of the standard normal distribution: two-sided 95%. */
const Z95 = 1.959963984540054

/**
 * 95% confidence interval of a share `successes / trials` by Wilson's score (JASA 22, 1927): unlike mean +- 2 std it
 * stays inside [0, 1] and is right for shares close to 1.
 */
export function wilsonInterval(successes: number, trials: number, z = Z95): [low: number, high: number] {
  const share = successes / trials
  const spread = z * Math.sqrt((share * (1 - share) + (z * z) / (4 * trials)) / trials)
  const centre = share + (z * z) / (2 * trials)
  const scale = 1 + (z * z) / trials
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)]
}
