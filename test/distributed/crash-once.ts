/** An extension whose second process kills itself once, after the first checkpoint: it leaves a file that says so. */
import { existsSync, writeFileSync } from 'node:fs'

import { defineSampler } from '../../lib/data/samplers/sampler.js'
import { z } from 'zod'

const mark = process.env['FACEX_TEST_CRASH']
if (mark !== undefined && process.env['RANK'] === '1' && !existsSync(mark)) {
  const checkpoint = mark.replace(/\.crashed$/, '/checkpoints/step-000000008.safetensors')
  setInterval(() => {
    if (!existsSync(checkpoint)) return
    writeFileSync(mark, '')
    process.kill(process.pid, 'SIGKILL')
  }, 5)
}

/** Extensions must export something. */
export default defineSampler({ name: 'crash-once', summary: 'nothing of use', schema: z.strictObject({}), create: () => ({ views: 1, order: () => new Uint32Array() }) })
