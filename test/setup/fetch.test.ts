import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t, { type Test } from 'tap'

import { facex } from '../facex.js'
import { zipOf } from './zip.js'

const library = process.platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so'

/** The few files that make a libtorch in the eyes of the search. */
function wheel(version: string, prefix = 'torch'): Record<string, string> {
  const [major, minor, patch] = version.split(/[.+]/)
  return {
    [`${prefix}/include/torch/headeronly/version.h`]: `#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH ${patch}\n`,
    [`${prefix}/lib/${library}`]: 'machine code',
    [`${prefix}/lib/libtorch_python.so`]: 'of no use here',
    [`${prefix}/version.py`]: `__version__ = '${version}'\n`,
    [`${prefix}/nn/functional.py`]: 'of no use here',
  }
}

function setup(t: Test, content: Buffer, ...argv: string[]) {
  const folder = t.testdir({ cache: {} })
  const file = path.join(folder, 'torch.whl')
  writeFileSync(file, content)
  const outcome = facex(['setup', '--from', file, ...argv], { env: { XDG_CACHE_HOME: path.join(folder, 'cache'), LIBTORCH: undefined } })
  return { ...outcome, file, cache: path.join(folder, 'cache', 'facex', 'libtorch') }
}

t.test('setup --from unpacks libraries and headers of a wheel into the cache', async (t) => {
  const { status, stdout, cache } = setup(t, zipOf(wheel('2.13.0+cpu')), '--json')
  t.equal(status, 0)
  const folder = path.join(cache, '2.13.0+cpu', 'torch')
  t.same(JSON.parse(stdout), { folder, version: '2.13.0+cpu', cuda: false })
  t.same(readdirSync(path.join(folder, 'lib')), [library], 'without the libraries of Python')
  t.notOk(existsSync(path.join(folder, 'nn')))
  t.same(readdirSync(cache), ['2.13.0+cpu'], 'and leaves nothing else behind')
})

t.test('an archive named libtorch, as PyTorch publishes them for C++, does as well', async (t) => {
  const { status, cache } = setup(t, zipOf(wheel('2.12.1+cpu', 'libtorch')))
  t.equal(status, 0)
  t.ok(existsSync(path.join(cache, '2.12.1+cpu', 'torch', 'lib', library)))
})

t.test('what is set up last is found first, and a killed set-up is cleaned away', async (t) => {
  const folder = t.testdir({ 'a.whl': zipOf(wheel('2.12.0+cpu')), 'b.whl': zipOf(wheel('2.13.0+cpu')) })
  const env = { XDG_CACHE_HOME: path.join(folder, 'cache'), LIBTORCH: undefined }
  mkdirSync(path.join(folder, 'cache', 'facex', 'libtorch', '.unpacking-dead'), { recursive: true })
  const found = () => JSON.parse(facex(['doctor', '--json'], { env }).stdout).libtorch.search[0].found.version
  facex(['setup', '--from', path.join(folder, 'b.whl')], { env })
  facex(['setup', '--from', path.join(folder, 'a.whl')], { env })
  t.equal(found(), '2.12.0+cpu')
  facex(['setup', '--cpu', '--version', '2.13.0'], { env })
  t.equal(found(), '2.13.0+cpu', 'without fetching it again')
  t.same(readdirSync(path.join(folder, 'cache', 'facex', 'libtorch')).sort(), ['2.12.0+cpu', '2.13.0+cpu'])
})

t.test('a damaged archive is refused and leaves nothing behind', async (t) => {
  const whole = zipOf(wheel('2.13.0+cpu'))
  const cases: [string, Buffer, RegExp][] = [
    ['a flipped bit', zipOf(wheel('2.13.0+cpu'), `torch/lib/${library}`), /does not match its checksum/],
    ['a truncated file', whole.subarray(0, whole.length - 40), /not a complete wheel or zip archive/],
    ['another archive', zipOf({ 'readme.txt': 'hello' }), /no usable libtorch inside/],
    ['an old version', zipOf(wheel('2.4.0+cpu')), /version 2\.4\.0\+cpu is not supported \(2\.11 to 2\.14\)/],
  ]
  for (const [name, content, message] of cases) {
    const { status, stderr, cache } = setup(t, content)
    t.equal(status, 1, name)
    t.match(stderr, message)
    t.same(readdirSync(cache), [])
  }
})

t.test('wrong usage is told apart from failure', async (t) => {
  t.equal(facex(['setup', '--cpu', '--cuda']).status, 2)
  t.match(facex(['setup', '--version', '1.0']).stderr, /libtorch 1\.0 is not supported: expected 2\.11 to 2\.14/)
  t.match(facex(['setup', '--from', '/nowhere.whl'], { env: { XDG_CACHE_HOME: t.testdir() } }).stderr, /nowhere\.whl: there is no such file/)
})
