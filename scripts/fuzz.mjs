// npm run fuzz [-- SECONDS [READER...]]: feeds damaged files to every reader of foreign data, each for SECONDS (60), and
// reports executions and findings. Images and record files are fuzzed natively (libFuzzer with AddressSanitizer; needs
// clang++, CXX names another); the readers in TypeScript (PyTorch files, safetensors, checkpoints, .bin, .mat, .npy) by
// mutation of small ones.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import sharp from 'sharp'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const build = path.join(root, 'build', 'fuzz')

const { imageRecord, encodeRecord } = await import('../dist/lib/data/record-writer.js')
const { Random } = await import('../dist/lib/data/random.js')
const { attempt, foreignReaders } = await import('../dist/test/mutants.js')

/** Findings of one reader after which the others have their turn. */
const ENOUGH = 5

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

/** Records with and without an index in front. */
function records() {
  const all = Buffer.concat([encodeRecord(imageRecord(0, [3, 3], Buffer.alloc(0))), ...[1, 2].map((id) => encodeRecord(imageRecord(id, id - 1, Buffer.from(`image ${id}`))))])
  const index = Buffer.from('0\t0\n1\t40\n2\t80\n')
  return [Buffer.concat([Buffer.from([0, 0]), all]), Buffer.concat([Buffer.from([index.length, 0]), index, all])]
}

function run(command, argv) {
  const { status } = spawnSync(command, argv, { stdio: ['ignore', 'inherit', 'inherit'] })
  return status === 0
}

/** Builds the native fuzzers. */
function ready() {
  const compiler = process.env.CXX ?? 'clang++'
  const built =
    run('cmake', ['-S', path.join(root, 'native', 'fuzz'), '-B', build, `-DCMAKE_CXX_COMPILER=${compiler}`, '-DCMAKE_BUILD_TYPE=None', '--log-level=WARNING']) &&
    run('cmake', ['--build', build, '--', '-s'])
  if (!built) console.error(`The fuzzers could not be built with ${compiler}: they need Clang with libFuzzer (Debian/Ubuntu: apt install clang).`)
  return built
}

/** Runs a native fuzzer on its corpus, which grows from call to call. Returns whether nothing was found. */
function fuzzNative(reader, seeds, seconds) {
  const corpus = path.join(build, `corpus-${reader}`)
  mkdirSync(corpus, { recursive: true })
  seeds.forEach((seed, i) => writeFileSync(path.join(corpus, `seed-${i}`), seed))
  const options = [`-max_total_time=${seconds}`, '-max_len=16384', '-timeout=20', '-rss_limit_mb=2048', '-print_final_stats=1', '-verbosity=0']
  const { status, stderr } = spawnSync(path.join(build, `fuzz_${reader}`), [...options, `-artifact_prefix=${build}/${reader}-`, corpus], { encoding: 'utf8' })
  const executions = /number_of_executed_units:\s*(\d+)/.exec(stderr)?.[1] ?? '?'
  console.log(`${reader}: ${executions} executions, ${status === 0 ? 'nothing found' : `FOUND:\n${stderr.slice(-4000)}`}`)
  return status === 0
}

/** Other mutants with every call. Returns whether nothing was found. */
async function fuzzReader(reader, seconds) {
  const random = new Random(Date.now())
  let [executions, found] = [0, 0]
  for (const end = Date.now() + 1000 * seconds; Date.now() < end && found < ENOUGH; executions++) {
    const problem = await attempt(reader, (limit) => random.below(limit))
    if (problem !== undefined) console.log(`${reader.name}, ${++found}: ${problem}`)
  }
  console.log(`${reader.name}: ${executions} executions, ${found === 0 ? 'nothing found' : `FOUND ${found}`}`)
  return found === 0
}

const [seconds = 60, ...wanted] = process.argv.slice(2).map((word, i) => (i === 0 ? Number(word) : word))
// Files that never reach a disk, where there is such a place.
const folder = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'facex-fuzz-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const native = { decode: await images(), record: records() }
const readers = foreignReaders(folder)
const names = [...Object.keys(native), ...readers.map(({ name }) => name)]
const unknown = wanted.find((name) => !names.includes(name))
if (!(seconds > 0) || unknown !== undefined) {
  console.error(`usage: npm run fuzz [-- SECONDS [READER...]]; readers: ${names.join(', ')}`)
  process.exit(2)
}
const isWanted = (name) => wanted.length === 0 || wanted.includes(name)
const chosen = Object.entries(native).filter(([name]) => isWanted(name))
if (chosen.length > 0 && !ready()) process.exit(1)
let clean = true
for (const [name, seeds] of chosen) clean = fuzzNative(name, seeds, seconds) && clean
for (const reader of readers) if (isWanted(reader.name)) clean = (await fuzzReader(reader, seconds)) && clean
process.exitCode = clean ? 0 : 1
