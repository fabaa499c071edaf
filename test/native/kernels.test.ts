import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, promisify } from 'node:util'

import t from 'tap'

import { addon } from '../../lib/native.js'
import { batchNormCase, compute, computeAll, depthwiseCase, gateCase, gradOf, ODD_SIZES, PRODUCT_SIZES, productCase, type Results } from './kernel-cases.js'

/** Largest difference of any entry, relative to the largest value of that entry. */
function farthest(found: Results, expected: Results): number {
  return Math.max(
    ...Object.entries(expected).map(([name, values]) => {
      const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9)
      return values.reduce((most, value, i) => Math.max(most, Math.abs(value - found[name]![i]!)), 0) / size
    }),
  )
}

/** Rounding of one value, and of sums whose terms were rounded. */
const TOLERANCE = { float32: 2e-5, bfloat16: 2e-2 } as const
const TYPES = ['float32', 'bfloat16'] as const

/** Weights off the diagonal are not those of the depthwise convolution. */
function diagonal({ weight, ...rest }: Results, channels: number): Results {
  const taps = weight!.length / channels ** 2
  return { ...rest, weight: weight!.filter((_, i) => Math.floor(i / taps) % (channels + 1) === 0) }
}

for (const [kernel, stride, padding] of [[3, 1, 1], [3, 2, 1], [3, 2, 0], [5, 1, 2], [5, 2, 2], [5, 2, 1], [7, 1, 0]] as const) {
  t.test(`depthwise ${kernel} x ${kernel}, stride ${stride}, padding ${padding} is what libtorch's convolution gives`, async (t) => {
    for (const dims of kernel === 7 ? ([[19, 7, 7]] as const) : ([[19, 9, 12], [32, 8, 8], [5, 13, 5]] as const)) {
      for (const type of TYPES) {
        const far = farthest(compute(depthwiseCase(dims, kernel, stride, padding), type), diagonal(compute(depthwiseCase(dims, kernel, stride, padding, true), type), dims[0]))
        t.ok(far < TOLERANCE[type], `${dims.join(' x ')} ${type}: ${far}`)
      }
    }
  })
}

t.test('an image times one gate a channel follows its formulas for any number of channels', async (t) => {
  for (const dims of ODD_SIZES) {
    const each = gateCase(dims)
    const [{ x, source }, grad, area] = [each.values, gradOf(each), dims[1] * dims[2]]
    const means = (values: readonly number[]) => Array.from({ length: dims[0] }, (_, c) => values.slice(c * area, (c + 1) * area).reduce((sum, value) => sum + value, 0) / area)
    const [gates, gateGrads] = [means(source!), means(grad.map((value, i) => value * x![i]!))]
    const byFormula = {
      output: x!.map((value, i) => value * gates[Math.floor(i / area)]!),
      x: grad.map((value, i) => value * gates[Math.floor(i / area)]!),
      source: x!.map((_, i) => gateGrads[Math.floor(i / area)]!),
    }
    for (const type of TYPES) {
      const far = farthest(compute(each, type), byFormula)
      t.ok(far < TOLERANCE[type], `${dims.join(' x ')} ${type}: ${far}`)
    }
  }
})

t.test('products of matrices follow their formulas for any number of rows, terms and columns', async (t) => {
  for (const [dims, outputs] of PRODUCT_SIZES) {
    const each = productCase(dims, outputs)
    const [{ x, weight, bias }, grad, rows, terms] = [each.values, gradOf(each), dims[0], dims[1] * dims[2]]
    const sum = (count: number, term: (i: number) => number) => Array.from({ length: count }, (_, i) => term(i)).reduce((total, value) => total + value, 0)
    const table = (height: number, width: number, value: (row: number, column: number) => number) => Array.from({ length: height * width }, (_, i) => value(Math.floor(i / width), i % width))
    const byFormula = {
      output: table(rows, outputs, (r, o) => bias![o]! + sum(terms, (k) => x![r * terms + k]! * weight![o * terms + k]!)),
      x: table(rows, terms, (r, k) => sum(outputs, (o) => grad[r * outputs + o]! * weight![o * terms + k]!)),
      weight: table(outputs, terms, (o, k) => sum(rows, (r) => grad[r * outputs + o]! * x![r * terms + k]!)),
      bias: table(1, outputs, (_, o) => sum(rows, (r) => grad[r * outputs + o]!)),
    }
    for (const type of TYPES) {
      const far = farthest(compute(each, type), byFormula)
      t.ok(far < TOLERANCE[type], `${dims.join(' x ')} to ${outputs} ${type}: ${far}`)
    }
  }
})

/** Value and derivative of the activation, in plain arithmetic. */
const ACTIVATIONS: Readonly<Record<string, (z: number, slope: number) => readonly [number, number]>> = {
  none: (z) => [z, 1],
  prelu: (z, slope) => (z > 0 ? [z, 1] : [slope * z, slope]),
  relu6: (z) => [Math.min(Math.max(z, 0), 6), z > 0 && z < 6 ? 1 : 0],
  silu: (z) => {
    const gate = 1 / (1 + Math.exp(-z))
    return [z * gate, gate * (1 + z * (1 - gate))]
  },
}

/** act(batch_norm(x) + shortcut) and its gradients by the formulas, channel by channel. */
function byFormula(values: Results, grad: readonly number[], activation: string, [channels, height, width]: readonly [number, number, number]): Results {
  const area = height * width
  const { x, shortcut, weight, bias, slope } = values
  const result: Record<string, number[]> = { output: [], x: [], weight: [], bias: [], ...(shortcut && { shortcut: [] }), ...(slope && { slope: [] }) }
  for (let c = 0; c < channels; c++) {
    const own = (all: readonly number[]) => all.slice(c * area, (c + 1) * area)
    const sum = (terms: readonly number[]) => terms.reduce((total, term) => total + term, 0)
    const mean = sum(own(x!)) / area
    const inverse = 1 / Math.sqrt(sum(own(x!).map((value) => (value - mean) ** 2)) / area + 1e-5)
    const normal = own(x!).map((value) => (value - mean) * inverse)
    const z = normal.map((value, i) => value * weight![c]! + bias![c]! + (shortcut?.[c * area + i] ?? 0))
    const bent = z.map((value) => ACTIVATIONS[activation]!(value, slope?.[c] ?? 0))
    const dz = own(grad).map((value, i) => value * bent[i]![1])
    const along = sum(dz.map((value, i) => value * normal[i]!))
    result['output']!.push(...bent.map(([value]) => value))
    result['x']!.push(...dz.map((value, i) => weight![c]! * inverse * (value - sum(dz) / area - (normal[i]! * along) / area)))
    result['shortcut']?.push(...dz)
    result['weight']!.push(along)
    result['bias']!.push(sum(dz))
    result['slope']?.push(sum(own(grad).map((value, i) => value * Math.min(z[i]!, 0))))
  }
  return result
}

for (const activation of Object.keys(ACTIVATIONS)) {
  t.test(`batch norm with ${activation} follows its formulas for any number of channels`, async (t) => {
    for (const dims of ODD_SIZES) {
      for (const shortcut of [false, true]) {
        const each = batchNormCase(dims, activation as Parameters<typeof batchNormCase>[1], shortcut)
        const expected = byFormula(each.values, gradOf(each), activation, dims)
        for (const type of TYPES) {
          const far = farthest(compute(each, type), expected)
          t.ok(far < TOLERANCE[type], `${dims.join(' x ')}${shortcut ? ', shortcut' : ''} ${type}: ${far}`)
        }
      }
    }
  })
}

t.test('every instruction set computes the same up to rounding, two threads the same bits as one', async (t) => {
  const child = fileURLToPath(new URL('./kernel-child.js', import.meta.url))
  const onThreads = (threads: number): Record<string, Results> => {
    addon().setThreads(threads)
    return computeAll()
  }
  const best = onThreads(1)
  t.ok(isDeepStrictEqual(onThreads(2), best), 'two threads give the bits of one')
  for (const capability of ['default', 'avx2']) {
    const env = { ...process.env, ATEN_CPU_CAPABILITY: capability }
    const { stdout } = await promisify(execFile)(process.execPath, [child], { env, maxBuffer: 1 << 28 })
    const results = JSON.parse(stdout) as Record<string, Results>
    for (const [name, expected] of Object.entries(best)) {
      const far = farthest(results[name]!, expected)
      t.ok(far < TOLERANCE[name.split(',')[0] as (typeof TYPES)[number]], `${capability}, ${name}: ${far}`)
    }
  }
})
