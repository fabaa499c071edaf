/**
 * `facex setup`: puts libtorch into the user cache.
 * @module
 */
import { FacexError } from '../errors.js'
import { fetchLibtorch } from '../setup/fetch.js'
import { DEFAULT_VERSION, SUPPORTED } from '../setup/libtorch.js'
import { stderrLog } from '../setup/log.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex setup [--cpu | --cuda] [--version V] [--from FILE ...] [--json]

Fetches libtorch into the user cache, where building and running facex look for it.

  --cpu          the build for the CPU
  --cuda         the build for NVIDIA GPUs; pip downloads it with NVIDIA's libraries
                 (default: what the prebuilt addon that is installed needs, else --cpu)
  --version V    version of libtorch, ${SUPPORTED} (default: the one that the prebuilt addon needs, else ${DEFAULT_VERSION})
  --from FILE    a PyTorch wheel or libtorch archive that is already here; needs no network. Repeat it for the wheels of
                 NVIDIA's libraries, or name the folder that holds them all
  --json         print the result as JSON

LIBTORCH=FOLDER uses a libtorch from elsewhere, without set-up. HTTPS_PROXY and NO_PROXY are honoured.
`

const options = {
  cpu: { type: 'boolean' },
  cuda: { type: 'boolean' },
  version: { type: 'string' },
  from: { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, options)
  if (values.cpu && values.cuda) throw new FacexError('ERR_USAGE', 'expected --cpu or --cuda, received both')
  const asked = values.cuda ? 'cuda' : values.cpu ? 'cpu' : undefined
  const libtorch = await fetchLibtorch({ variant: asked, version: values.version, from: values.from }, stderrLog())
  process.stdout.write(values.json ? `${JSON.stringify(libtorch)}\n` : `libtorch ${libtorch.version} is ready in ${libtorch.folder}\n`)
  return 0
}
