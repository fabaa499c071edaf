/** What a step of a fused head allocates. In a process of its own, whose peak is nobody else's. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import t from 'tap'

const CHILD = fileURLToPath(new URL('head-memory-child.js', import.meta.url))
const [DIMS, BATCH, CLASSES] = [4, 128, 100_000]

t.test('a step of a head needs one buffer of batch by classes, and nothing else of that size', { skip: process.platform !== 'linux' && 'reads /proc' }, async (t) => {
  const output = execFileSync(process.execPath, ['--expose-gc', CHILD, String(DIMS), String(BATCH), String(CLASSES)], { encoding: 'utf8' })
  const found = JSON.parse(output) as Record<string, number>
  t.ok(Object.keys(found).length > 10)
  for (const [name, bytes] of Object.entries(found)) {
    // Of several centres a class, all cosines are in the buffer.
    const centres = CLASSES * (name === 'SubCenterArcFace' ? 3 : 1)
    const buffer = 4 * BATCH * centres
    // Gradient and momentum of the centres, lengths, and scratch of the matrix products.
    const rest = 4 * centres * (3 * DIMS + 2) + 12 * 2 ** 20
    t.ok(bytes < buffer + rest, `${name}: ${bytes} bytes beside a buffer of ${buffer}`)
    t.ok(bytes > 0.8 * buffer, `${name}: the figure is that of the step`)
  }
})
