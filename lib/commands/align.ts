/**
 * `facex align`: photographs to aligned faces.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'

import { openLandmarks } from '../data/landmarks.js'
import { alignPhotographs } from '../data/tools/align.js'
import { FacexError } from '../errors.js'
import { countBar } from '../report/count-bar.js'
import { parseOptions, wholeNumber } from './options.js'

export const usage = `Usage: facex align --landmarks FILE --root DIR --out DIR [OPTIONS]

Cuts faces out of photographs: five landmarks are moved to the ArcFace template by a similarity transform.

--landmarks FILE   a line "path x y x y ..." for each photograph, with 5, 68 or 106 points in pixels
--root DIR         folder that those paths start from
--out DIR          folder of the aligned faces; those that are there already are kept, so that a second run goes on
--size N           side in pixels, 112 by default
--format F         jpg (quality 95, default) or png
--threads N        photographs at once; all cores by default
--json             the report for machines
Photographs that fail are listed with the reason in DIR/failures.txt, and the exit status is 1.
`

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, {
    landmarks: { type: 'string' },
    root: { type: 'string' },
    out: { type: 'string' },
    size: { type: 'string' },
    format: { type: 'string' },
    threads: { type: 'string' },
    json: { type: 'boolean' },
  })
  const { landmarks, root, out, format = 'jpg' } = values
  if (landmarks === undefined || root === undefined || out === undefined) throw new FacexError('ERR_USAGE', `expected --landmarks, --root and --out\n\n${usage}`)
  if (format !== 'jpg' && format !== 'png') throw new FacexError('ERR_USAGE', `--format: expected jpg or png, received "${format}"`)
  const images = openLandmarks(landmarks)
  const bar = countBar('aligning')
  const report = await alignPhotographs(images, {
    root,
    out,
    size: wholeNumber('size', values.size) ?? 112,
    format,
    threads: wholeNumber('threads', values.threads) ?? availableParallelism(),
    onImage: (done) => bar.update(done, images.length),
  })
  bar.stop()
  const { made, present, failures } = report
  if (failures.length > 0) {
    mkdirSync(out, { recursive: true })
    writeFileSync(path.join(out, 'failures.txt'), failures.map((failure) => `${failure}\n`).join(''))
  }
  const text = [
    `${made} aligned, ${present} there before, ${failures.length} failed`,
    ...failures.slice(0, 10).map((failure) => `  ${failure}`),
    ...(failures.length > 10 ? [`  all of them in ${path.join(out, 'failures.txt')}`] : []),
  ]
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${text.join('\n')}\n`)
  return failures.length === 0 ? 0 : 1
}
