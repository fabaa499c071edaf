// npm run fuzz [-- SECONDS]: feeds damaged files to every reader of foreign data, each for SECONDS (60), and reports
// executions and findings. Images and record files are fuzzed natively (libFuzzer with AddressSanitizer; needs clang++,
// CXX names another); the pickles of .bin files, read in TypeScript, by mutation of a small one.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import sharp from 'sharp'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const build = path.join(root, 'build', 'fuzz')
const seconds = Number(process.argv[2] ?? 60)
if (!(seconds > 0)) throw new Error('usage: npm run fuzz [-- SECONDS]')

const { imageRecord, encodeRecord } = await import('../dist/lib/data/record-writer.js')
const { parseBinFile } = await import('../dist/lib/data/bin-file.js')
const { Random } = await import('../dist/lib/data/random.js')

/** One small image of every kind that the decoder knows. */
async function images() {
  const plain = sharp({ create: { width: 24, height: 16, channels: 3, background: '#a06030' } })
  const clear = sharp({ create: { width: 24, height: 16, channels: 4, background: { r: 9, g: 99, b: 199, alpha: 0.5 } } })
  return Promise.all([
    plain.clone().jpeg().toBuffer(),
    plain.clone().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
    plain.clone().greyscale().jpeg().toBuffer(),
    plain.clone().toColourspace('cmyk').jpeg().toBuffer(),
    plain.clone().png().toBuffer(),
    plain.clone().png({ palette: true, progressive: true }).toBuffer(),
    plain.clone().toColourspace('rgb16').png().toBuffer(),
    clear.clone().png().toBuffer(),
  ])
}

function run(command, argv) {
  const { status } = spawnSync(command, argv, { stdio: ['ignore', 'inherit', 'inherit'] })
  return status === 0
}

/** Runs a native fuzzer on its corpus, which grows from call to call. Returns whether nothing was found. */
function fuzz(reader, seeds) {
  const corpus = path.join(build, `corpus-${reader}`)
  mkdirSync(corpus, { recursive: true })
  seeds.forEach((seed, i) => writeFileSync(path.join(corpus, `seed-${i}`), seed))
  const options = [`-max_total_time=${seconds}`, '-max_len=16384', '-timeout=20', '-rss_limit_mb=2048', '-print_final_stats=1', '-verbosity=0']
  const { status, stderr } = spawnSync(path.join(build, `fuzz_${reader}`), [...options, `-artifact_prefix=${build}/${reader}-`, corpus], { encoding: 'utf8' })
  const executions = /number_of_executed_units:\s*(\d+)/.exec(stderr)?.[1] ?? '?'
  console.log(`${reader}: ${executions} executions, ${status === 0 ? 'nothing found' : `FOUND:\n${stderr.slice(-4000)}`}`)
  return status === 0
}

/** [images, same] as Python 3 pickles it: protocol 2, two byte strings, one truth value. */
function pickle(image) {
  const bytes = [0x43, image.length, ...image]
  return Buffer.from([0x80, 4, 0x5d, 0x28, ...bytes, ...bytes, 0x65, 0x5d, 0x28, 0x88, 0x65, 0x86, 0x2e])
}

/** Mutations of a pickle: every answer must be a value or a FacexError. */
function fuzzPickles() {
  const seed = pickle(Buffer.from([1, 2, 3, 4]))
  if (parseBinFile(seed).images.length !== 2) throw new Error('the seed of the pickle fuzzer is no .bin file')
  const random = new Random(seconds, 1)
  let [executions, found] = [0, 0]
  for (const end = Date.now() + 1000 * seconds; Date.now() < end; executions++) {
    const data = Buffer.concat([seed, Buffer.alloc(random.below(8), random.below(256))])
    for (let changes = 1 + random.below(4); changes > 0; changes--) data[random.below(data.length)] = random.below(256)
    try {
      parseBinFile(data.subarray(0, 1 + random.below(data.length)))
    } catch (error) {
      if (error?.name === 'FacexError') continue
      if (found++ < 5) console.log(`pickle ${data.toString('hex')}:\n${error?.stack}`)
    }
  }
  console.log(`pickle: ${executions} executions, ${found === 0 ? 'nothing found' : `FOUND ${found}`}`)
  return found === 0
}

const compiler = process.env.CXX ?? 'clang++'
const ready =
  run('cmake', ['-S', path.join(root, 'native', 'fuzz'), '-B', build, `-DCMAKE_CXX_COMPILER=${compiler}`, '-DCMAKE_BUILD_TYPE=None', '--log-level=WARNING']) &&
  run('cmake', ['--build', build, '--', '-s'])
if (!ready) {
  console.error(`The fuzzers could not be built with ${compiler}: they need Clang with libFuzzer (Debian/Ubuntu: apt install clang).`)
  process.exit(1)
}
const seeds = await images()
const records = Buffer.concat([encodeRecord(imageRecord(0, [3, 3], Buffer.alloc(0))), ...[1, 2].map((id) => encodeRecord(imageRecord(id, id - 1, Buffer.from(`image ${id}`))))])
const index = Buffer.from('0\t0\n1\t40\n2\t80\n')
const outcomes = [
  fuzz('decode', seeds),
  fuzz('record', [Buffer.concat([Buffer.from([0, 0]), records]), Buffer.concat([Buffer.from([index.length, 0]), index, records])]),
  fuzzPickles(),
]
process.exitCode = outcomes.every(Boolean) ? 0 : 1
