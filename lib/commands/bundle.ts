/**
 * `facex bundle`: all of facex in one archive, for a machine without network.
 * @module
 */
import { statSync } from 'node:fs'

import { FacexError } from '../errors.js'
import { writeBundle } from '../setup/bundle.js'
import { packageVersion } from '../setup/places.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex bundle [--cpu | --cuda] --out FILE [--prebuilt FOLDER]

Packs Node, facex, its prebuilt addon and libtorch into one archive. On the other machine, of the same kind, nothing is
installed: unpack it and run the program \`facex\` inside.

  --cpu, --cuda      the variant (default --cpu)
  --out FILE         the archive: .tar, .tar.gz, .tar.xz or .tar.zst
  --prebuilt FOLDER  the prebuilt package, where it is not installed beside facex: build/prebuilt/NAME in a clone
`

const options = {
  cpu: { type: 'boolean' },
  cuda: { type: 'boolean' },
  out: { type: 'string' },
  prebuilt: { type: 'string' },
} as const

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, options)
  if (values.cpu && values.cuda) throw new FacexError('ERR_USAGE', 'expected --cpu or --cuda, received both')
  if (values.out === undefined || !/\.tar(\.(gz|xz|zst))?$/.test(values.out)) throw new FacexError('ERR_USAGE', `--out: expected a file that ends in .tar, .tar.gz, .tar.xz or .tar.zst, received ${values.out ?? 'nothing'}`)
  const libtorch = writeBundle({ variant: values.cuda ? 'cuda' : 'cpu', prebuilt: values.prebuilt, out: values.out })
  process.stderr.write(`${values.out}: facex ${packageVersion()} with libtorch ${libtorch.version}, ${(statSync(values.out).size / 1e6).toFixed(0)} MB\n`)
  return 0
}
