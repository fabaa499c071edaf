/**
 * How figures read in log lines and summaries.
 * @module
 */

/** `0:07`, `12:30`, `3:05:00`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-'
  const whole = Math.round(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const padded = (value: number) => String(value).padStart(2, '0')
  return h > 0 ? `${h}:${padded(m)}:${padded(s)}` : `${m}:${padded(s)}`
}

/** `27,734`. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** `93.25%`. */
export function percent(share: number, digits = 2): string {
  return `${(share * 100).toFixed(digits)}%`
}

/** `12.34M`, `230.5M`, `6.3G`. */
export function magnitude(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)}G`
  return value >= 1e6 ? `${(value / 1e6).toFixed(2)}M` : count(value)
}

/** A learning rate without trailing noise: `0.1`, `0.00123`, `1e-7`. */
export function rate(value: number): string {
  return String(Number(value.toPrecision(3)))
}

/** Three decimals below ten, fewer above. */
export function loss(value: number): string {
  return value < 10 ? value.toFixed(3) : value.toFixed(2)
}

/** Images a second: `8.5`, `61`. */
export function speed(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0)
}
