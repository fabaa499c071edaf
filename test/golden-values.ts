/**
 * Values from a name, as golden/README.md defines them: weights and inputs of golden tests are formulas, not files.
 * @module
 */

/** Element `i` of the stream called `name`, in [0, 1). */
export function uniform(name: string, i: number): number {
  return element(hash(name), i)
}

/** The first `count` elements of the stream called `name`. */
export function uniforms(name: string, count: number): Float64Array {
  const result = new Float64Array(count)
  const seed = hash(name)
  for (let i = 0; i < count; i++) result[i] = element(seed, i)
  return result
}

/** `count` elements as float32(uniform * scale + offset), row-major. */
export function values(name: string, count: number, scale: number, offset: number): Float32Array {
  const result = new Float32Array(count)
  const seed = hash(name)
  for (let i = 0; i < count; i++) result[i] = element(seed, i) * scale + offset
  return result
}

function element(seed: number, i: number): number {
  return mix((seed + Math.imul(i, 0x9e3779b9)) >>> 0) / 2 ** 32
}

/** 32-bit FNV-1a. */
function hash(name: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** MurmurHash3's finaliser; not shared with lib/, because golden values must stay what they are when that changes. */
function mix(x: number): number {
  x ^= x >>> 16
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}
